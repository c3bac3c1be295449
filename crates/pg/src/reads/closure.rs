//! Follows what is mentioned to the tables behind it.

use std::collections::{BTreeSet, HashMap, HashSet};

use passerelle_catalog::QualifiedName;

use super::builtin::{Builtin, builtin};
use super::tree::Mentions;
use super::{DeclaredReads, Reads, Unproven};

/// Identifiers below this one are PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_OF_USERS: u32 = 16384;

/// The database as far as it decides what is read.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) relations: HashMap<u32, Relation>,
    pub(super) functions: HashMap<u32, Function>,
    /// Functions of operators, by operator.
    pub(super) operators: HashMap<u32, u32>,
}

#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: QualifiedName,
    pub(super) kind: Kind,
    /// It is written to the WAL and does not vanish with a session.
    pub(super) permanent: bool,
    pub(super) followed: bool,
    /// Parents and children.
    pub(super) kin: Vec<u32>,
    pub(super) policies: Vec<Policy>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Table,
    View(Mentions),
    /// Its rows change by REFRESH alone, which is a change of definitions.
    MaterializedView,
    Foreign,
}

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) mentions: Mentions,
    /// Roles that it holds for; all where absent.
    pub(super) roles: Option<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: QualifiedName,
    pub(super) nature: Nature,
}

#[derive(Debug)]
pub(super) enum Nature {
    /// Its body is SQL that PostgreSQL has parsed.
    Parsed(Mentions),
    /// What it reads was declared.
    Declared(Vec<u32>, DeclaredReads),
    /// Of PostgreSQL, and not immutable.
    Builtin { volatile: bool },
    /// Declared immutable, and not written in a language in which that is easily wrong.
    Immutable,
    /// Anything.
    Opaque,
}

impl Graph {
    /// What reading a relation as a role reads, or as any.
    pub(super) fn relation(&self, oid: u32, role: Option<&str>) -> Result<Reads, Unproven> {
        let mut walk = Walk::new(self);
        walk.relation(oid, role)?;
        Ok(walk.reads)
    }

    /// Tables behind relations, policies for all roles included; what cannot be looked into is
    /// passed by.
    pub(super) fn tables_behind(&self, relations: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
        let mut open: Vec<u32> = relations.into_iter().collect();
        let mut survey = Survey::new(self);
        while let Some(oid) = open.pop() {
            survey.relation(oid, &mut open);
        }
        survey.tables
    }

    /// As [`Self::tables_behind`], of functions.
    pub(super) fn tables_behind_functions(&self, functions: Option<&Vec<u32>>) -> BTreeSet<u32> {
        let mut open = Vec::new();
        let mut survey = Survey::new(self);
        for function in functions.into_iter().flatten() {
            survey.function(*function, &mut open);
        }
        while let Some(oid) = open.pop() {
            survey.relation(oid, &mut open);
        }
        survey.tables
    }

    /// Operators that trees mention without their functions.
    pub(super) fn operators_mentioned(&self) -> impl Iterator<Item = u32> {
        let relations = self.relations.values().flat_map(|relation| {
            let policies = relation.policies.iter().map(|policy| &policy.mentions);
            let view = match &relation.kind {
                Kind::View(mentions) => Some(mentions),
                _ => None,
            };
            policies.chain(view)
        });
        let functions = self
            .functions
            .values()
            .filter_map(|function| match &function.nature {
                Nature::Parsed(mentions) => Some(mentions),
                _ => None,
            });
        relations
            .chain(functions)
            .flat_map(|mentions| mentions.operators.iter().copied())
    }

    /// What calling a function reads.
    pub(super) fn function(&self, oid: u32) -> Result<Reads, Unproven> {
        let mut walk = Walk::new(self);
        walk.function(oid)?;
        Ok(walk.reads)
    }
}

struct Walk<'a> {
    graph: &'a Graph,
    reads: Reads,
    seen: HashSet<(u32, bool)>,
    called: BTreeSet<u32>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            reads: Reads::default(),
            seen: HashSet::new(),
            called: BTreeSet::new(),
        }
    }

    /// `role` is known as long as the caller's own policies are applied; behind a view or function
    /// somebody else's may be, and all count.
    fn relation(&mut self, oid: u32, role: Option<&str>) -> Result<(), Unproven> {
        if oid < FIRST_OF_USERS || !self.seen.insert((oid, role.is_some())) {
            return Ok(());
        }
        let relation = self.graph.relations.get(&oid).ok_or(Unproven::Missing)?;
        match &relation.kind {
            Kind::Table => {
                if !relation.permanent || !relation.followed {
                    return Err(Unproven::NotFollowed(relation.name.clone()));
                }
                self.reads.tables.insert(oid);
                for kin in &relation.kin {
                    self.relation(*kin, role)?;
                }
                for policy in relation.policies.iter().filter(|one| one.holds_for(role)) {
                    self.mentions(&policy.mentions, role)?;
                }
                Ok(())
            }
            Kind::View(mentions) => self.mentions(mentions, None),
            Kind::MaterializedView => Ok(()),
            Kind::Foreign => Err(Unproven::Foreign(relation.name.clone())),
        }
    }

    fn mentions(&mut self, mentions: &Mentions, role: Option<&str>) -> Result<(), Unproven> {
        if mentions.sequence {
            return Err(Unproven::Sequence);
        }
        self.reads.time |= mentions.time;
        let settings = mentions.settings.iter().cloned();
        self.reads.settings.extend(settings);
        for relation in &mentions.relations {
            self.relation(*relation, role)?;
        }
        for operator in &mentions.operators {
            match self.graph.operators.get(operator) {
                Some(function) => self.function(*function)?,
                None => return Err(Unproven::Missing),
            }
        }
        mentions
            .functions
            .iter()
            .try_for_each(|function| self.function(*function))
    }

    fn function(&mut self, oid: u32) -> Result<(), Unproven> {
        if !self.called.insert(oid) {
            return Ok(());
        }
        let Some(function) = self.graph.functions.get(&oid) else {
            // Of PostgreSQL and immutable: those are not listed.
            return if oid < FIRST_OF_USERS {
                Ok(())
            } else {
                Err(Unproven::Missing)
            };
        };
        match &function.nature {
            Nature::Parsed(mentions) => self.mentions(mentions, None),
            Nature::Declared(relations, declared) => {
                self.reads.time |= declared.time;
                self.reads
                    .settings
                    .extend(declared.settings.iter().cloned());
                let mut relations = relations.iter();
                relations.try_for_each(|relation| self.relation(*relation, None))
            }
            Nature::Immutable => Ok(()),
            Nature::Builtin { volatile } => match builtin(&function.name.name, *volatile) {
                Builtin::Settled => Ok(()),
                Builtin::Time => {
                    self.reads.time = true;
                    Ok(())
                }
                Builtin::Unsettled => Err(Unproven::Function(function.name.clone())),
            },
            Nature::Opaque => Err(Unproven::Function(function.name.clone())),
        }
    }
}

/// Finds tables, and never gives up.
struct Survey<'a> {
    graph: &'a Graph,
    tables: BTreeSet<u32>,
    seen: HashSet<u32>,
    called: HashSet<u32>,
}

impl<'a> Survey<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            tables: BTreeSet::new(),
            seen: HashSet::new(),
            called: HashSet::new(),
        }
    }

    fn relation(&mut self, oid: u32, open: &mut Vec<u32>) {
        if !self.seen.insert(oid) {
            return;
        }
        let Some(relation) = self.graph.relations.get(&oid) else {
            return;
        };
        match &relation.kind {
            Kind::Table => {
                if relation.permanent {
                    self.tables.insert(oid);
                }
                open.extend(&relation.kin);
                for policy in &relation.policies {
                    self.mentions(&policy.mentions, open);
                }
            }
            Kind::View(mentions) => self.mentions(mentions, open),
            Kind::MaterializedView | Kind::Foreign => {}
        }
    }

    fn mentions(&mut self, mentions: &Mentions, open: &mut Vec<u32>) {
        open.extend(&mentions.relations);
        for function in &mentions.functions {
            self.function(*function, open);
        }
    }

    fn function(&mut self, oid: u32, open: &mut Vec<u32>) {
        if !self.called.insert(oid) {
            return;
        }
        match self
            .graph
            .functions
            .get(&oid)
            .map(|function| &function.nature)
        {
            Some(Nature::Parsed(mentions)) => self.mentions(mentions, open),
            Some(Nature::Declared(relations, _)) => open.extend(relations),
            _ => {}
        }
    }
}

impl Policy {
    fn holds_for(&self, role: Option<&str>) -> bool {
        match (role, &self.roles) {
            (Some(role), Some(roles)) => roles.iter().any(|one| one == role),
            _ => true,
        }
    }
}
