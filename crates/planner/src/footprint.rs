//! What a read looks at in the database, as far as the plan tells: what its reply depends on
//! beside its text and its parameters.

use std::collections::BTreeSet;

use passerelle_catalog::{Catalog, Column, QualifiedName, Table};
use passerelle_syntax::{Count, Operation};

use crate::{
    CallPlan, ColumnRef, Condition, CountSpec, Embed, EmbedShape, Handler, OrderBy, PlanField,
    ReadNode, ReadPlan, SelectColumn, Source,
};

/// Relations and functions that a statement names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Relations, each once.
    pub relations: BTreeSet<QualifiedName>,
    /// Functions that are called by name, each once.
    pub functions: BTreeSet<QualifiedName>,
    /// The first thing that makes the reply depend on more than can be told.
    pub opaque: Option<Opaque>,
}

/// Why it cannot be told what a reply depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// A column that the relation does not have: a function of its row.
    ComputedColumn,
    /// A function converts the values of a column.
    Representation,
    /// A comparison or an order by a type of which PostgreSQL itself knows nothing.
    UserType,
    /// A cast to such a type.
    Cast,
    /// A value that stands for another time whenever it is read, such as `now`.
    RelativeTime,
    /// The body is made by a function of the database.
    MediaHandler,
    /// A total that is estimated follows the statistics, not the rows.
    Estimate,
    /// A relation that the catalogue does not have.
    UnknownRelation,
}

/// Types that a request may cast to without calling a function of a user. What else is written the
/// same way, perhaps with another schema's type in mind, is not among them.
const PLAIN_CASTS: [&str; 28] = [
    "text",
    "varchar",
    "char",
    "bpchar",
    "name",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "bigint",
    "smallint",
    "numeric",
    "decimal",
    "real",
    "float",
    "float4",
    "float8",
    "double precision",
    "bool",
    "boolean",
    "uuid",
    "json",
    "jsonb",
    "date",
    "timestamp",
    "timestamptz",
    "bytea",
];

/// Words that types of dates and times read as a time relative to the present.
const RELATIVE: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

impl ReadPlan {
    /// What the statement of this plan looks at.
    pub fn footprint(&self, catalog: &Catalog) -> Footprint {
        let mut walk = Walk::new(catalog);
        walk.node(&self.root);
        walk.end(self.count, &self.handler)
    }
}

impl CallPlan {
    /// What the statement of this plan looks at; inside the function it cannot be seen.
    pub fn footprint(&self, catalog: &Catalog) -> Footprint {
        let mut walk = Walk::new(catalog);
        walk.found.functions.insert(self.function.clone());
        walk.node(&self.read);
        walk.end(self.count, &self.handler)
    }
}

struct Walk<'a> {
    catalog: &'a Catalog,
    found: Footprint,
}

impl<'a> Walk<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            found: Footprint::default(),
        }
    }

    fn end(mut self, count: Option<CountSpec>, handler: &Handler) -> Footprint {
        if count.is_some_and(|count| count.kind != Count::Exact) {
            self.opaque(Opaque::Estimate);
        }
        if matches!(handler, Handler::Custom(_)) {
            self.opaque(Opaque::MediaHandler);
        }
        self.found
    }

    fn opaque(&mut self, reason: Opaque) {
        self.found.opaque.get_or_insert(reason);
    }

    fn node(&mut self, node: &ReadNode) {
        let table = self.source(&node.source);
        for column in &node.select {
            self.selected(column, table);
        }
        for filter in &node.filters {
            self.condition(filter, table);
        }
        for term in &node.order {
            self.order(term, node, table);
        }
        for embed in &node.embeds {
            self.embed(embed);
        }
    }

    /// Takes note of a source; the table whose columns its fields are, if they are a table's.
    fn source(&mut self, source: &Source) -> Option<&'a Table> {
        match source {
            Source::Relation { name, junction, .. } => {
                if let Some((junction, _)) = junction {
                    self.relation(junction);
                }
                self.relation(name)
            }
            Source::Written { .. } => None,
            Source::Computed { function, .. } => {
                self.found.functions.insert(function.clone());
                None
            }
        }
    }

    fn relation(&mut self, name: &QualifiedName) -> Option<&'a Table> {
        if !self.found.relations.contains(name) {
            self.found.relations.insert(name.clone());
        }
        let table = self.catalog.table(name);
        if table.is_none() {
            self.opaque(Opaque::UnknownRelation);
        }
        table
    }

    fn embed(&mut self, embed: &Embed) {
        self.node(&embed.node);
        if let EmbedShape::SpreadArrays { keys, .. } = &embed.shape {
            let table = table_of(&embed.node, self.catalog);
            for key in keys {
                self.order(&key.term, &embed.node, table);
            }
        }
    }

    fn selected(&mut self, column: &SelectColumn, table: Option<&Table>) {
        self.field(&column.field, table);
        let casts = [&column.cast].into_iter().flatten();
        let aggregate = column.aggregate.as_ref();
        let casts = casts.chain(aggregate.and_then(|aggregate| aggregate.cast.as_ref()));
        for cast in casts {
            if !PLAIN_CASTS.contains(&cast.as_str()) {
                self.opaque(Opaque::Cast);
            }
        }
    }

    fn condition(&mut self, condition: &Condition, table: Option<&Table>) {
        match condition {
            Condition::Branch { members, .. } => {
                for one in members {
                    self.condition(one, table);
                }
            }
            Condition::Compare {
                field, operation, ..
            } => {
                self.compared(field, table);
                if values(operation).any(is_relative) {
                    self.opaque(Opaque::RelativeTime);
                }
            }
            Condition::EmbedIsNull { .. } => {}
        }
    }

    fn order(&mut self, term: &OrderBy, node: &ReadNode, table: Option<&Table>) {
        match &term.embed {
            None => self.compared(&term.field, table),
            Some(alias) => {
                let embed = node.embeds.iter().find(|embed| embed.alias == *alias);
                let table = embed.and_then(|embed| table_of(&embed.node, self.catalog));
                self.compared(&term.field, table);
            }
        }
    }

    /// A field whose type's operators are used.
    fn compared(&mut self, field: &PlanField, table: Option<&Table>) {
        if let Some(column) = self.field(field, table)
            && field.json_path.is_empty()
            && !has_plain_operators(column)
        {
            self.opaque(Opaque::UserType);
        }
    }

    fn field<'t>(&mut self, field: &PlanField, table: Option<&'t Table>) -> Option<&'t Column> {
        if field.transform.is_some() {
            self.opaque(Opaque::Representation);
        }
        let ColumnRef::Named(name) = &field.column else {
            return None;
        };
        let column = table.and_then(|table| table.column(name));
        if column.is_none() {
            self.opaque(Opaque::ComputedColumn);
        }
        column
    }
}

fn table_of<'a>(node: &ReadNode, catalog: &'a Catalog) -> Option<&'a Table> {
    match &node.source {
        Source::Relation { name, .. } => catalog.table(name),
        Source::Written { .. } | Source::Computed { .. } => None,
    }
}

/// Names of PostgreSQL's own types are written without a schema.
fn has_plain_operators(column: &Column) -> bool {
    !column.base_type.contains('.') || !column.enum_labels.is_empty()
}

fn values(operation: &Operation) -> impl Iterator<Item = &str> {
    let (one, many): (Option<&String>, &[String]) = match operation {
        Operation::Simple(_, value)
        | Operation::Quantified(_, _, value)
        | Operation::IsDistinctFrom(value) => (Some(value), &[]),
        Operation::In(values) => (None, values),
        // Words that are searched for are no dates.
        Operation::Is(_) | Operation::FullText(..) => (None, &[]),
    };
    one.into_iter().chain(many).map(String::as_str)
}

/// Whether a value may be read as a time relative to the present. Too often rather than too rarely:
/// such a reply is merely not kept.
fn is_relative(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    RELATIVE.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::is_relative;

    #[test]
    fn words_that_stand_for_the_present() {
        for value in [
            "now",
            "NOW",
            " today",
            "{2024-01-01,yesterday}",
            "tomorrow 10:00",
        ] {
            assert!(is_relative(value), "{value}");
        }
        for value in ["2024-01-01", "infinity", "epoch", "", "n o w"] {
            assert!(!is_relative(value), "{value}");
        }
    }
}
