//! The whole head of a request, part by part, in the order in which `PostgREST` reports what is
//! wrong.

use crate::media::MediaType;
use crate::preferences::Preferences;
use crate::query::Query;
use crate::range::root_range;
use crate::request::{Action, ApiRequest, Invocation};
use crate::target::{Resource, schema};
use crate::{Exposure, Head, Limits, ParseError};

impl<'a> Head<'a> {
    /// Value of the first header line of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

/// Reads the head of a request. The time it takes is linear in the head's size; the depth of
/// recursion is bounded by `limits`.
///
/// # Errors
/// The first thing that is wrong, in this order: length of the query string, path, profile,
/// method, query parameters, range. `Prefer`, `Accept` and `Content-Type` are never wrong.
pub fn parse(
    head: &Head<'_>,
    exposure: &Exposure,
    limits: &Limits,
) -> Result<ApiRequest, ParseError> {
    if head.query.len() > limits.query_bytes {
        return Err(ParseError::QueryTooLong {
            limit: limits.query_bytes,
        });
    }
    parse_parameters(head, head.query, exposure, limits)
}

/// Reads a head whose parameters are those of `query`.
pub(crate) fn parse_parameters(
    head: &Head<'_>,
    query: &str,
    exposure: &Exposure,
    limits: &Limits,
) -> Result<ApiRequest, ParseError> {
    let resource = Resource::read(head.path, exposure)?;
    let (schema, negotiated_by_profile) = schema(head, exposure)?;
    let action = resource.action(head.method, exposure.extensions)?;
    let query = Query::read(query, takes_arguments(&action), limits)?;
    let range = root_range(head.method, head.header("range"), query.windows.root)?;
    let embed_ranges = query.windows.embeds(limits)?;
    Ok(ApiRequest {
        action,
        schema,
        negotiated_by_profile,
        select: query.select,
        filters: query.filters,
        logic: query.logic,
        order: query.order,
        range,
        embed_ranges,
        columns: query.columns,
        on_conflict: query.on_conflict,
        arguments: query.arguments,
        canonical_query: Some(query.canonical),
        preferences: Preferences::read(head.headers, exposure),
        accept: head
            .header("accept")
            .map_or_else(|| vec![MediaType::Any], MediaType::read_accept),
        content_type: head
            .header("content-type")
            .map_or(MediaType::Json, MediaType::read),
    })
}

fn takes_arguments(action: &Action) -> bool {
    matches!(
        action,
        Action::Call {
            invocation: Invocation::Get | Invocation::Head,
            ..
        }
    )
}
