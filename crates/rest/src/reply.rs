//! What the database answered, as an HTTP response.
//!
//! The body's bytes go out as they came. Headers that SQL set take the place of those written here.

mod content_range;
mod response_settings;
mod write;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, VARY, WARNING,
};
use bytes::Bytes;
use passerelle_planner::{AllowedMethods, DescribePlan, ReplySpec};
use passerelle_surface::{Verbosity, allows_body};
use passerelle_syntax::{Extension, Extensions, MediaType, RangeFault, TransactionEnd};

pub(crate) use self::write::reply_written;
use crate::error::{ReplyError, accept_query, range_body};
use crate::run::{Answer, FlowHead};

const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const VARIES: HeaderValue = HeaderValue::from_static("Accept, Prefer, Range");

/// Agent of the `Warning` header: the server whose deprecation it is.
const WARN_AGENT: &str = "PostgRESTv16";

/// Replies to a read.
///
/// # Errors
/// [`ReplyError`] when not exactly one row came where one was asked for, or SQL's own status or
/// headers are malformed.
pub(crate) fn reply(
    spec: ReplySpec,
    answer: Answer,
    verbosity: Verbosity,
) -> Result<HttpResponse, ReplyError> {
    if spec.singular && answer.page_count != 1 {
        return Err(ReplyError::NotSingular {
            rows: answer.page_count,
        });
    }
    let own_headers = response_settings::headers(answer.response_headers.as_deref())?;
    let own_status = response_settings::status(answer.response_status.as_deref())?;
    let status = content_range::status(spec.range.offset, answer.page_count, answer.total);
    let rows = answer.page_count;
    let range = content_range::value(spec.range.offset, rows, answer.total);
    let sent_status = own_status.unwrap_or(status);
    let body = if spec.headers_only || !allows_body(sent_status) {
        BoxBody::new(actix_web::body::None::new())
    } else {
        body(&spec, status, answer, verbosity)
    };
    let response = HttpResponse::with_body(sent_status, body);
    Ok(with_headers(response, spec, Some(range), own_headers))
}

/// Begins the reply to an export whose rows are still arriving; it has no body yet. How many rows
/// there are going to be is told if it follows from an exact count. Where it does not, there is no
/// range; a total is told nevertheless.
///
/// # Errors
/// [`ReplyError`] when SQL's own status or headers are malformed.
pub(crate) fn reply_flowing(spec: ReplySpec, head: &FlowHead) -> Result<HttpResponse, ReplyError> {
    let own_headers = response_settings::headers(head.response_headers.as_deref())?;
    let own_status = response_settings::status(head.response_status.as_deref())?;
    let offset = spec.range.offset;
    let rows = head.total.filter(|_| head.exact).map(|total| {
        let rest = total.saturating_sub(offset);
        head.most.map_or(rest, |most| rest.min(most))
    });
    let status = match rows {
        Some(rows) => content_range::status(offset, rows, head.total),
        None => StatusCode::OK,
    };
    let range = match (rows, head.total) {
        (None, None) => None,
        (rows, total) => Some(content_range::value(offset, rows.unwrap_or(0), total)),
    };
    let body = BoxBody::new(actix_web::body::None::new());
    let response = HttpResponse::with_body(own_status.unwrap_or(status), body);
    Ok(with_headers(response, spec, range, own_headers))
}

/// Adds what a reply with rows says beside its body.
fn with_headers(
    mut response: HttpResponse,
    spec: ReplySpec,
    range: Option<String>,
    own_headers: Vec<response_settings::Header>,
) -> HttpResponse {
    let headers = response.headers_mut();
    headers.reserve(8);
    if let Some(range) = range {
        put(headers, CONTENT_RANGE, range);
    }
    if let Some(location) = spec.location {
        put(headers, CONTENT_LOCATION, location);
    }
    headers.insert(CONTENT_TYPE, content_type(&spec.media_type));
    if let Some(profile) = spec.profile {
        put(headers, CONTENT_PROFILE, profile);
    }
    if !spec.applied.is_empty() {
        put(headers, PREFERENCE_APPLIED, spec.applied.join(", "));
    }
    if !spec.legacy_targets.is_empty() {
        put(headers, WARNING, legacy_warning(&spec.legacy_targets));
    }
    headers.insert(VARY, VARIES);
    response_settings::override_headers(headers, own_headers);
    response
}

/// Replies to a call of a function that returns nothing.
///
/// # Errors
/// [`ReplyError`] when SQL's own status or headers are malformed.
pub(crate) fn reply_void(spec: &ReplySpec, answer: &Answer) -> Result<HttpResponse, ReplyError> {
    let own_headers = response_settings::headers(answer.response_headers.as_deref())?;
    let own_status = response_settings::status(answer.response_status.as_deref())?;
    let mut response = HttpResponse::new(own_status.unwrap_or(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    let range = content_range::value(spec.range.offset, answer.page_count, answer.total);
    put(headers, CONTENT_RANGE, range);
    if !spec.applied.is_empty() {
        put(headers, PREFERENCE_APPLIED, spec.applied.join(", "));
    }
    headers.insert(VARY, VARIES);
    response_settings::override_headers(headers, own_headers);
    Ok(response)
}

/// Replies with the plan of a statement, which was asked for in place of its rows.
pub(crate) fn reply_plan(spec: ReplySpec, plan: Bytes) -> HttpResponse {
    let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(plan));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(&spec.media_type));
    if let Some(profile) = spec.profile {
        put(headers, CONTENT_PROFILE, profile);
    }
    headers.insert(VARY, VARIES);
    response
}

/// Replies with the results of a batch.
pub(crate) fn reply_batch(results: String, end: Option<TransactionEnd>) -> HttpResponse {
    let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(results));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(end) = end {
        put(headers, PREFERENCE_APPLIED, end.as_str().to_owned());
    }
    response
}

/// Replies with the description of a schema.
pub(crate) fn reply_description(plan: DescribePlan, document: String) -> HttpResponse {
    let body = if plan.headers_only {
        BoxBody::new(actix_web::body::None::new())
    } else {
        BoxBody::new(document)
    };
    let mut response = HttpResponse::with_body(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(&plan.media_type));
    if let Some(profile) = plan.profile {
        put(headers, CONTENT_PROFILE, profile);
    }
    headers.insert(VARY, VARIES);
    response
}

/// Replies to OPTIONS with what a relation allows.
pub(crate) fn reply_relation_info(methods: AllowedMethods, extensions: Extensions) -> HttpResponse {
    let mut allow = String::from("OPTIONS,GET,HEAD");
    let query = extensions.contains(Extension::Query);
    for (allowed, method) in [
        (methods.insert, ",POST"),
        (methods.upsert, ",PUT"),
        (methods.update, ",PATCH"),
        (methods.delete, ",DELETE"),
        (query, ",QUERY"),
    ] {
        if allowed {
            allow.push_str(method);
        }
    }
    let mut response = info(allow);
    if query {
        let (name, value) = accept_query();
        response.headers_mut().insert(name, value);
    }
    response
}

/// Replies to OPTIONS with what a function allows.
pub(crate) fn reply_routine_info(volatile: bool) -> HttpResponse {
    let allow = if volatile {
        "OPTIONS,POST"
    } else {
        "OPTIONS,GET,HEAD,POST"
    };
    info(allow.to_owned())
}

/// Replies to OPTIONS on the root.
pub(crate) fn reply_schema_info() -> HttpResponse {
    info("OPTIONS,GET,HEAD".to_owned())
}

fn info(allow: String) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    put(headers, ALLOW, allow);
    headers.insert(VARY, VARIES);
    response
}

/// Adds the durations of the stages.
pub(crate) fn add_server_timing(response: &mut HttpResponse, timing: String) {
    put(response.headers_mut(), SERVER_TIMING, timing);
}

fn body(spec: &ReplySpec, status: StatusCode, answer: Answer, verbosity: Verbosity) -> BoxBody {
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        let lower = spec.range.offset;
        let fault = RangeFault::OutOfBounds {
            lower,
            total: answer.total.unwrap_or(0),
        };
        return BoxBody::new(range_body(fault).to_json(verbosity));
    }
    BoxBody::new(answer.body)
}

fn content_type(media_type: &MediaType) -> HeaderValue {
    match media_type {
        MediaType::Json => JSON,
        MediaType::OctetStream | MediaType::Other(_) => {
            let mime = media_type.mime();
            HeaderValue::from_bytes(mime.as_bytes()).unwrap_or(JSON)
        }
        _ => {
            let value = format!("{}; charset=utf-8", media_type.mime());
            HeaderValue::try_from(value).unwrap_or(JSON)
        }
    }
}

fn legacy_warning(targets: &[(String, String)]) -> String {
    let changes: Vec<String> = targets
        .iter()
        .map(|(relation, alias)| format!("`{relation}` to `{alias}`"))
        .collect();
    format!(
        "299 {WARN_AGENT} \"Embedded resource was referenced by relation name even though it has \
         an alias. This is deprecated and will stop working in a future release. Update {} in \
         query string filters, orders or limits.\"",
        changes.join(", ")
    )
}

/// Adds a header without copying its value. Text that no header can hold (a name with a control
/// character in it) is left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
