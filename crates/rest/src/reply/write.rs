//! What a write answered, as an HTTP response.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, VARY, WARNING,
};
use passerelle_planner::{Handler, MutatePlan};
use passerelle_surface::allows_body;
use passerelle_syntax::{Mutation, Resolution};

use super::{
    CONTENT_PROFILE, PREFERENCE_APPLIED, VARIES, content_range, content_type, legacy_warning, put,
    response_settings,
};
use crate::error::ReplyError;
use crate::keys;
use crate::run::Written;

/// How many rows of the body were matched by key in vain.
const UNMATCHED_ROWS: HeaderName = HeaderName::from_static("unmatched-rows");
/// The keys of the first of them, as JSON.
const UNMATCHED_KEYS: HeaderName = HeaderName::from_static("unmatched-keys");

/// Replies to a write.
///
/// # Errors
/// [`ReplyError`] when SQL's own status or headers are malformed.
pub(crate) fn reply_written(
    plan: MutatePlan,
    written: Written,
) -> Result<HttpResponse, ReplyError> {
    let shows_rows = plan.handler != Handler::None;
    let own_headers = response_settings::headers(written.response_headers.as_deref())?;
    let own_status = response_settings::status(written.response_status.as_deref())?;
    let status = own_status.unwrap_or_else(|| status(&plan, shows_rows, written.inserted));
    let location = written
        .location
        .as_deref()
        .and_then(|key| location(&plan, key));
    let range = range(&plan, written.rows);
    let body = match (shows_rows, allows_body(status)) {
        (true, true) => BoxBody::new(written.body),
        (false, true) => BoxBody::new(()),
        (_, false) => BoxBody::new(actix_web::body::None::new()),
    };
    let mut response = HttpResponse::with_body(status, body);
    let headers = response.headers_mut();
    if let Some(location) = location {
        put(headers, LOCATION, location);
    }
    if let Some(range) = range {
        put(headers, CONTENT_RANGE, range);
    }
    if let Some(unmatched) = written.unmatched {
        headers.insert(UNMATCHED_ROWS, HeaderValue::from(unmatched.rows));
        if let Some(keys) = unmatched.keys {
            put(
                headers,
                UNMATCHED_KEYS,
                keys::bounded(&keys, keys::IN_HEADER),
            );
        }
    }
    let spec = plan.reply;
    if !spec.applied.is_empty() {
        put(headers, PREFERENCE_APPLIED, spec.applied.join(", "));
    }
    if shows_rows {
        headers.insert(CONTENT_TYPE, content_type(&spec.media_type));
        if let Some(profile) = spec.profile {
            put(headers, CONTENT_PROFILE, profile);
        }
    }
    if !spec.legacy_targets.is_empty() {
        put(headers, WARNING, legacy_warning(&spec.legacy_targets));
    }
    headers.insert(VARY, VARIES);
    response_settings::override_headers(headers, own_headers);
    Ok(response)
}

/// 201 for rows that are new, 200 for a representation, 204 for nothing to show.
fn status(plan: &MutatePlan, shows_rows: bool, inserted: Option<i64>) -> StatusCode {
    let is_new = inserted.is_some_and(|rows| rows > 0);
    match plan.mutation {
        Mutation::Create => {
            let merged = matches!(&plan.write,
                passerelle_planner::Write::Insert { conflict: Some(conflict), .. }
                    if conflict.resolution == Resolution::MergeDuplicates);
            if merged && !is_new {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            }
        }
        _ if !shows_rows => StatusCode::NO_CONTENT,
        Mutation::SingleUpsert if is_new => StatusCode::CREATED,
        Mutation::SingleUpsert | Mutation::Update | Mutation::Delete => StatusCode::OK,
    }
}

/// An update has a range of rows; of inserts and deletes only the number is told, if at all.
fn range(plan: &MutatePlan, rows: u64) -> Option<String> {
    let total = plan.counted.then_some(rows);
    match plan.mutation {
        Mutation::Create | Mutation::Delete => Some(content_range::value(0, 0, total)),
        Mutation::Update => Some(content_range::value(0, rows, total)),
        Mutation::SingleUpsert => None,
    }
}

/// Where the row is: the relation, filtered by its primary key.
fn location(plan: &MutatePlan, key: &[u8]) -> Option<String> {
    let pairs: Vec<(String, Option<String>)> = serde_json::from_slice(key).ok()?;
    let mut location = format!("/{}", plan.target.name);
    for (index, (name, value)) in pairs.iter().enumerate() {
        location.push(if index == 0 { '?' } else { '&' });
        push_encoded(&mut location, name);
        location.push('=');
        match value {
            Some(value) => {
                location.push_str("eq.");
                push_encoded(&mut location, value);
            }
            None => location.push_str("is.null"),
        }
    }
    (!pairs.is_empty()).then_some(location)
}

/// Percent-encodes what is not unreserved (RFC 3986, section 2.3).
fn push_encoded(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
            }
        }
    }
}
