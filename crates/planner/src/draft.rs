//! The tree of a read as the request spells it: which embed each filter, order and range is for.
//!
//! Only names are compared here; nothing is looked up in the catalogue.

use passerelle_syntax::{
    ApiRequest, Filter, JoinType, LogicTree, OrderTerm, RowRange, SelectEmbed, SelectField,
    SelectItem,
};

use crate::PlanError;

/// A node of the tree.
pub(crate) struct Draft<'r> {
    /// What the request calls it: the relation of the root, the target of an embed.
    pub(crate) name: &'r str,
    pub(crate) alias: Option<&'r str>,
    pub(crate) hint: Option<&'r str>,
    pub(crate) join: Option<JoinType>,
    pub(crate) spread: bool,
    pub(crate) select: Vec<&'r SelectField>,
    pub(crate) children: Vec<Draft<'r>>,
    pub(crate) filters: Vec<&'r Filter>,
    pub(crate) logic: Vec<&'r LogicTree>,
    pub(crate) order: &'r [OrderTerm],
    pub(crate) range: RowRange,
    /// It was addressed by its name although it has an alias.
    addressed_by_name: bool,
}

impl<'r> Draft<'r> {
    /// The tree of a request that reads `relation`.
    ///
    /// # Errors
    /// [`PlanError::NotEmbedded`] when a filter, order or range is for an embed that is not there.
    pub(crate) fn of_read(
        request: &'r ApiRequest,
        relation: &'r str,
        legacy_target_names: bool,
    ) -> Result<Self, PlanError> {
        let mut root = Self::node(relation, &request.select);
        root.range = request.range;
        root.restrict(request, legacy_target_names, |_| true)?;
        for (path, range) in &request.embed_ranges {
            root.find(path, legacy_target_names)?.range = *range;
        }
        Ok(root)
    }

    /// The tree of a request that reads what it wrote to `relation`: conditions of the root say
    /// what is written, and ranges mean nothing.
    ///
    /// # Errors
    /// As for [`Self::of_read`].
    pub(crate) fn of_written(
        request: &'r ApiRequest,
        relation: &'r str,
        legacy_target_names: bool,
    ) -> Result<Self, PlanError> {
        let mut root = Self::node(relation, &request.select);
        root.restrict(request, legacy_target_names, |path| !path.is_empty())?;
        Ok(root)
    }

    /// Brings conditions, where `wanted`, and orders to their nodes.
    fn restrict(
        &mut self,
        request: &'r ApiRequest,
        legacy_target_names: bool,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Result<(), PlanError> {
        let root = self;
        for (path, filter) in request.filters.iter().filter(|(path, _)| wanted(path)) {
            root.find(path, legacy_target_names)?.filters.push(filter);
        }
        // Of several orders for one node the first counts, as everywhere in the query string.
        for (path, terms) in request.order.iter().rev() {
            root.find(path, legacy_target_names)?.order = terms;
        }
        for (path, tree) in request.logic.iter().filter(|(path, _)| wanted(path)) {
            root.find(path, legacy_target_names)?.logic.push(tree);
        }
        Ok(())
    }

    /// What the node is called in the reply and in filters.
    pub(crate) fn shown_name(&self) -> &'r str {
        self.alias.unwrap_or(self.name)
    }

    /// Nothing is selected of it, nor of anything below.
    pub(crate) fn is_empty(&self) -> bool {
        self.select.is_empty() && self.children.iter().all(Self::is_empty)
    }

    /// Everything is selected of it, and nothing else.
    pub(crate) fn is_star(&self) -> bool {
        matches!(self.select.as_slice(), [field] if field.field.name == "*")
            && self.children.is_empty()
    }

    /// (relation, alias) of all nodes that were addressed by name although they have an alias.
    pub(crate) fn legacy_targets(&self, found: &mut Vec<(String, String)>) {
        if let (Some(alias), true) = (self.alias, self.addressed_by_name) {
            found.push((self.name.to_owned(), alias.to_owned()));
        }
        for child in &self.children {
            child.legacy_targets(found);
        }
    }

    fn node(name: &'r str, items: &'r [SelectItem]) -> Self {
        let mut node = Self {
            name,
            alias: None,
            hint: None,
            join: None,
            spread: false,
            select: Vec::with_capacity(items.len()),
            children: Vec::new(),
            filters: Vec::new(),
            logic: Vec::new(),
            order: &[],
            range: RowRange::default(),
            addressed_by_name: false,
        };
        for item in items {
            match item {
                SelectItem::Field(field) => node.select.push(field),
                SelectItem::Embed(embed) => node.children.push(Self::embed(embed, false)),
                SelectItem::Spread(embed) => node.children.push(Self::embed(embed, true)),
            }
        }
        node
    }

    fn embed(embed: &'r SelectEmbed, spread: bool) -> Self {
        Self {
            alias: embed.alias.as_deref(),
            hint: embed.hint.as_deref(),
            join: embed.join,
            spread,
            ..Self::node(&embed.relation, &embed.select)
        }
    }

    fn find(&mut self, path: &[String], legacy: bool) -> Result<&mut Self, PlanError> {
        let Some((target, rest)) = path.split_first() else {
            return Ok(self);
        };
        let place = self
            .children
            .iter()
            .position(|child| child.answers_to(target, legacy));
        let Some(place) = place else {
            return Err(PlanError::NotEmbedded {
                target: target.clone(),
                legacy: if legacy { None } else { self.alias_of(target) },
            });
        };
        let child = &mut self.children[place];
        child.addressed_by_name |=
            child.name == target && child.alias.is_some_and(|alias| alias != target);
        child.find(rest, legacy)
    }

    fn answers_to(&self, target: &str, legacy: bool) -> bool {
        self.shown_name() == target || (legacy && self.name == target)
    }

    /// The relation and alias of a child that has an alias and was addressed by its name.
    fn alias_of(&self, target: &str) -> Option<(String, String)> {
        let child = self
            .children
            .iter()
            .find(|child| child.answers_to(target, true))?;
        Some((child.name.to_owned(), child.alias?.to_owned()))
    }
}
