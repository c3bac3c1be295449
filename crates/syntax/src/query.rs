//! What the query string says.

mod parameters;

use crate::grammar;
use crate::range::{Window, Windows};
use crate::request::{EmbedPath, Field, Filter, LogicTree, Operation, OrderTerm, SelectItem};
use crate::scanner::{Parsed, Scanner, Source};
use crate::{Limits, ParseError};
use parameters::{Kind, Parameters};

/// All that the query string says.
pub(crate) struct Query {
    pub(crate) select: Vec<SelectItem>,
    pub(crate) filters: Vec<(EmbedPath, Filter)>,
    pub(crate) logic: Vec<(EmbedPath, LogicTree)>,
    pub(crate) order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    pub(crate) windows: Windows,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) on_conflict: Option<Vec<String>>,
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) canonical: String,
}

impl Query {
    /// Reads the query string. With `arguments`, values without an operator are arguments of a
    /// function instead of errors. What is wrong is reported in `PostgREST`'s order: order, logic,
    /// columns, select, filters, conflict target.
    pub(crate) fn read(text: &str, arguments: bool, limits: &Limits) -> Result<Self, ParseError> {
        let parameters = Parameters::read(text)?;
        let mut reader = Reader {
            limits,
            select: 0,
            filters: 0,
            order: 0,
        };
        let order = parameters
            .of(Kind::Order)
            .map(|(name, value)| reader.order(name, value))
            .collect::<Result<_, _>>()?;
        let logic = parameters
            .of(Kind::Logic)
            .map(|(name, value)| reader.logic(name, value))
            .collect::<Result<_, _>>()?;
        let columns = parameters
            .first(Kind::Columns)
            .map(|value| reader.columns("columns parameter", value).map(as_set))
            .transpose()?;
        let select = reader.select(parameters.first(Kind::Select).unwrap_or("*"))?;
        let mut filters = Vec::new();
        let mut plain = Vec::new();
        for (name, value) in parameters.of(Kind::Filter) {
            match reader.filter(name, value, arguments)? {
                Condition::Filter(path, filter) => filters.push((path, filter)),
                Condition::Argument(name) => plain.push((name, value.to_owned())),
            }
        }
        let on_conflict = parameters
            .first(Kind::OnConflict)
            .map(|value| reader.columns("on_conflict parameter", value))
            .transpose()?;
        let windows = read_windows(&parameters, limits)?;
        reader.check_counts()?;
        Ok(Self {
            select,
            filters,
            logic,
            order,
            windows,
            columns,
            on_conflict,
            arguments: plain,
            canonical: parameters.canonical(),
        })
    }
}

/// A parameter that may be a filter.
enum Condition {
    Filter(EmbedPath, Filter),
    Argument(String),
}

/// Reads values and counts what the limits bound, over all parameters.
struct Reader<'l> {
    limits: &'l Limits,
    select: usize,
    filters: usize,
    order: usize,
}

impl Reader<'_> {
    fn select(&mut self, value: &str) -> Result<Vec<SelectItem>, ParseError> {
        Source::new("select parameter", value).read(
            self.limits,
            &mut self.select,
            grammar::select_items::<false>,
            grammar::select_items::<true>,
        )
    }

    fn order(
        &mut self,
        name: &str,
        value: &str,
    ) -> Result<(EmbedPath, Vec<OrderTerm>), ParseError> {
        let path = embed_path(name, self.limits)?;
        let terms = Source::new("order", value).read(
            self.limits,
            &mut self.order,
            grammar::order_terms::<false>,
            grammar::order_terms::<true>,
        )?;
        Ok((path, terms))
    }

    fn logic(&mut self, name: &str, value: &str) -> Result<(EmbedPath, LogicTree), ParseError> {
        let (path, operator) = Source::new("logic path", name).read(
            self.limits,
            &mut 0,
            grammar::logic_path::<false>,
            grammar::logic_path::<true>,
        )?;
        // The operator is read with the value, but errors show the value alone.
        let text = operator + value;
        let tree = Source {
            what: "logic tree",
            shown: value,
            text: &text,
        }
        .read(
            self.limits,
            &mut self.filters,
            grammar::logic_tree::<false>,
            grammar::logic_tree::<true>,
        )?;
        Ok((path, tree))
    }

    fn filter(
        &mut self,
        name: &str,
        value: &str,
        arguments: bool,
    ) -> Result<Condition, ParseError> {
        let (path, field) = read_path(name, self.limits)?;
        let condition = Source::new("filter", value).read(
            self.limits,
            &mut 0,
            |s| condition(s, arguments),
            |s| condition(s, arguments),
        )?;
        self.filters += 1;
        Ok(match condition {
            Some((negated, operation)) => Condition::Filter(
                path,
                Filter {
                    field,
                    negated,
                    operation,
                },
            ),
            None => Condition::Argument(field.name),
        })
    }

    fn columns(&self, what: &'static str, value: &str) -> Result<Vec<String>, ParseError> {
        Source::new(what, value).read(
            self.limits,
            &mut 0,
            grammar::columns::<false>,
            grammar::columns::<true>,
        )
    }

    fn check_counts(&self) -> Result<(), ParseError> {
        let all = [
            ("select items", self.select),
            ("filters", self.filters),
            ("order terms", self.order),
        ];
        let limit = self.limits.items;
        match all.into_iter().find(|(_, count)| *count > limit) {
            Some((what, _)) => Err(ParseError::TooComplex { what, limit }),
            None => Ok(()),
        }
    }
}

fn as_set(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

/// The embed path of `a.b.order`, `a.b.limit`.
pub(crate) fn embed_path(name: &str, limits: &Limits) -> Result<EmbedPath, ParseError> {
    if name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(EmbedPath::new());
    }
    read_path(name, limits).map(|(path, _)| path)
}

fn read_path(name: &str, limits: &Limits) -> Result<(EmbedPath, Field), ParseError> {
    Source::new("tree path", name).read(
        limits,
        &mut 0,
        grammar::tree_path::<false>,
        grammar::tree_path::<true>,
    )
}

/// The windows of the root and of embeds.
fn read_windows(parameters: &Parameters<'_>, limits: &Limits) -> Result<Windows, ParseError> {
    let mut windows = Windows::default();
    let mut count = 0;
    for (kind, name, value) in parameters.all() {
        let set = match kind {
            Kind::Limit => Window::set_limit,
            Kind::Offset => Window::set_offset,
            _ => continue,
        };
        count += 1;
        if count > limits.items {
            return Err(ParseError::TooComplex {
                what: "ranges",
                limit: limits.items,
            });
        }
        set(windows.of(name), value);
    }
    Ok(windows)
}

/// An operation; with `arguments` none, if the value does not begin as one.
fn condition<const E: bool>(
    s: &mut Scanner<'_, E>,
    arguments: bool,
) -> Parsed<Option<(bool, Operation)>> {
    if arguments {
        s.optional(|s| grammar::operation(s, grammar::rest_value))
    } else {
        grammar::operation(s, grammar::rest_value).map(Some)
    }
}
