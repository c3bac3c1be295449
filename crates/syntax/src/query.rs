//! The query string: its parameters, their reading, and its canonical form.

use crate::decode::{decode_form, push_encoded};
use crate::grammar;
use crate::range::{Window, Windows};
use crate::request::{EmbedPath, Filter, LogicTree, OrderTerm, SelectItem};
use crate::scanner::{Scanner, read};
use crate::{Limits, ParseError};
use std::borrow::Cow;

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

struct Parameter<'q> {
    name: Cow<'q, str>,
    /// Absent without an equals sign; the parameter is then ignored.
    value: Option<Cow<'q, str>>,
}

/// What a parameter is, by its name alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Select,
    Columns,
    OnConflict,
    Order,
    Limit,
    Offset,
    Logic,
    Filter,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "select" => return Self::Select,
            "columns" => return Self::Columns,
            "on_conflict" => return Self::OnConflict,
            _ => {}
        }
        match name.rsplit('.').next() {
            Some("order") => Self::Order,
            Some("limit") => Self::Limit,
            Some("offset") => Self::Offset,
            Some("and" | "or") => Self::Logic,
            _ => Self::Filter,
        }
    }
}

/// Counts of what the limits bound, over all parameters.
#[derive(Default)]
struct Counts {
    select: usize,
    filters: usize,
    order: usize,
    /// Of what is not bounded by number.
    other: usize,
}

impl Query {
    /// Reads the query string. With `arguments`, values without an operator are arguments of a
    /// function instead of errors. What is wrong is reported in `PostgREST`'s order: order, logic,
    /// columns, select, filters, conflict target.
    pub(crate) fn read(query: &str, arguments: bool, limits: &Limits) -> Result<Self, ParseError> {
        let parameters = parameters(query)?;
        let mut counts = Counts::default();
        let order = each(&parameters, Kind::Order, |name, value| {
            read_order(name, value, limits, &mut counts)
        })?;
        let logic = each(&parameters, Kind::Logic, |name, value| {
            read_logic(name, value, limits, &mut counts)
        })?;
        let columns = read_columns(&parameters, Kind::Columns, "columns parameter", limits)?.map(
            |mut names| {
                names.sort_unstable();
                names.dedup();
                names
            },
        );
        let select = read_select(&parameters, limits, &mut counts)?;
        let mut filters = Vec::new();
        let mut plain = Vec::new();
        for (name, value) in values(&parameters, Kind::Filter) {
            match read_filter(name, value, arguments, limits, &mut counts)? {
                Read::Filter(path, filter) => filters.push((path, filter)),
                Read::Argument(name) => plain.push((name, value.to_owned())),
            }
        }
        let on_conflict = read_columns(
            &parameters,
            Kind::OnConflict,
            "on_conflict parameter",
            limits,
        )?;
        let windows = read_windows(&parameters, limits)?;
        counts.check(limits)?;
        Ok(Self {
            select,
            filters,
            logic,
            order,
            windows,
            columns,
            on_conflict,
            arguments: plain,
            canonical: canonical(&parameters),
        })
    }
}

impl Counts {
    fn check(&self, limits: &Limits) -> Result<(), ParseError> {
        let all = [
            ("select items", self.select),
            ("filters", self.filters),
            ("order terms", self.order),
        ];
        match all.into_iter().find(|(_, count)| *count > limits.items) {
            Some((what, _)) => Err(ParseError::TooComplex {
                what,
                limit: limits.items,
            }),
            None => Ok(()),
        }
    }
}

fn parameters(query: &str) -> Result<Vec<Parameter<'_>>, ParseError> {
    let query = query.strip_prefix('?').unwrap_or(query);
    if query.is_empty() {
        return Ok(Vec::new());
    }
    // A separator at the end opens no further parameter.
    let query = query.strip_suffix(['&', ';']).unwrap_or(query);
    query.split(['&', ';']).map(parameter).collect()
}

fn parameter(piece: &str) -> Result<Parameter<'_>, ParseError> {
    let (name, value) = match piece.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (piece, None),
    };
    Ok(Parameter {
        name: decode_form(name)?,
        value: value.map(decode_form).transpose()?,
    })
}

/// Parameters of a kind that have a value.
fn values<'p>(
    parameters: &'p [Parameter<'_>],
    kind: Kind,
) -> impl Iterator<Item = (&'p str, &'p str)> {
    parameters.iter().filter_map(move |parameter| {
        let value = parameter.value.as_deref()?;
        (Kind::of(&parameter.name) == kind).then_some((&*parameter.name, value))
    })
}

fn each<T>(
    parameters: &[Parameter<'_>],
    kind: Kind,
    mut read: impl FnMut(&str, &str) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    values(parameters, kind)
        .map(|(name, value)| read(name, value))
        .collect()
}

/// The first of equally named parameters, unless it lacks a value.
fn first<'p>(parameters: &'p [Parameter<'_>], kind: Kind) -> Option<&'p str> {
    parameters
        .iter()
        .find(|parameter| Kind::of(&parameter.name) == kind)?
        .value
        .as_deref()
}

fn read_order(
    name: &str,
    value: &str,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<(EmbedPath, Vec<OrderTerm>), ParseError> {
    let path = embed_path(name, limits)?;
    let terms = read(
        "order",
        value,
        value,
        limits,
        &mut counts.order,
        grammar::order_terms::<false>,
        grammar::order_terms::<true>,
    )?;
    Ok((path, terms))
}

/// The embed path of `a.b.order`, `a.b.limit`.
pub(crate) fn embed_path(name: &str, limits: &Limits) -> Result<EmbedPath, ParseError> {
    if name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(EmbedPath::new());
    }
    read_path(name, limits).map(|(path, _)| path)
}

fn read_path(
    name: &str,
    limits: &Limits,
) -> Result<(EmbedPath, crate::request::Field), ParseError> {
    read(
        "tree path",
        name,
        name,
        limits,
        &mut 0,
        grammar::tree_path::<false>,
        grammar::tree_path::<true>,
    )
}

fn read_logic(
    name: &str,
    value: &str,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<(EmbedPath, LogicTree), ParseError> {
    let (path, operator) = read(
        "logic path",
        name,
        name,
        limits,
        &mut counts.other,
        grammar::logic_path::<false>,
        grammar::logic_path::<true>,
    )?;
    let text = operator + value;
    let tree = read(
        "logic tree",
        value,
        &text,
        limits,
        &mut counts.filters,
        grammar::logic_tree::<false>,
        grammar::logic_tree::<true>,
    )?;
    Ok((path, tree))
}

fn read_columns(
    parameters: &[Parameter<'_>],
    kind: Kind,
    what: &str,
    limits: &Limits,
) -> Result<Option<Vec<String>>, ParseError> {
    first(parameters, kind)
        .map(|value| {
            read(
                what,
                value,
                value,
                limits,
                &mut 0,
                grammar::columns::<false>,
                grammar::columns::<true>,
            )
        })
        .transpose()
}

fn read_select(
    parameters: &[Parameter<'_>],
    limits: &Limits,
    counts: &mut Counts,
) -> Result<Vec<SelectItem>, ParseError> {
    let value = first(parameters, Kind::Select).unwrap_or("*");
    read(
        "select parameter",
        value,
        value,
        limits,
        &mut counts.select,
        grammar::select_items::<false>,
        grammar::select_items::<true>,
    )
}

/// The windows of the root and of embeds.
fn read_windows(parameters: &[Parameter<'_>], limits: &Limits) -> Result<Windows, ParseError> {
    let mut windows = Windows::default();
    let mut count = 0;
    for parameter in parameters {
        let set = match Kind::of(&parameter.name) {
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
        if let Some(value) = &parameter.value {
            set(windows.of(&parameter.name), value);
        }
    }
    Ok(windows)
}

enum Read {
    Filter(EmbedPath, Filter),
    Argument(String),
}

fn read_filter(
    name: &str,
    value: &str,
    arguments: bool,
    limits: &Limits,
    counts: &mut Counts,
) -> Result<Read, ParseError> {
    let (path, field) = read_path(name, limits)?;
    let condition = read(
        "filter",
        value,
        value,
        limits,
        &mut counts.other,
        |s| condition(s, arguments),
        |s| condition(s, arguments),
    )?;
    counts.filters += 1;
    Ok(match condition {
        Some((negated, operation)) => Read::Filter(
            path,
            Filter {
                field,
                negated,
                operation,
            },
        ),
        None => Read::Argument(field.name),
    })
}

/// An operation; with `arguments` none, if the value does not begin as one.
fn condition<const E: bool>(
    s: &mut Scanner<'_, E>,
    arguments: bool,
) -> crate::scanner::Parsed<Option<(bool, crate::request::Operation)>> {
    if arguments {
        s.optional(|s| grammar::operation(s, grammar::rest_value))
    } else {
        grammar::operation(s, grammar::rest_value).map(Some)
    }
}

/// Parameters sorted by name and encoded anew; values of equally named ones joined by commas.
fn canonical(parameters: &[Parameter<'_>]) -> String {
    let mut sorted: Vec<&Parameter<'_>> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = String::new();
    let mut previous: Option<&str> = None;
    for parameter in sorted {
        if previous == Some(&*parameter.name) {
            out.push(',');
        } else {
            if previous.is_some() {
                out.push('&');
            }
            push_encoded(&mut out, &parameter.name);
            out.push('=');
        }
        push_encoded(&mut out, parameter.value.as_deref().unwrap_or_default());
        previous = Some(&parameter.name);
    }
    out
}
