//! An [`ApiRequest`] written as the head of a request: the inverse of [`parse`](fn@crate::parse).
//!
//! What parsing yields can be printed, and reads back as the same request up to
//! `canonical_query`. The printed form is one of several spellings, and not the client's own.

mod condition;
mod name;
mod query;
mod select;

use crate::decode::push_encoded;
use crate::media::{MediaType, PlanOption};
use crate::preferences::Preferences;
use crate::request::{Action, ApiRequest, Invocation, Mutation};
use crate::target::profile_header;
use std::fmt::Write as _;

/// The head of a request, as [`Head`](crate::Head) borrows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// `GET`, `HEAD`, …
    pub method: &'static str,
    /// Percent-encoded, beginning with a slash.
    pub path: String,
    /// Percent-encoded, without the question mark.
    pub query: String,
    /// Header lines, names lower-cased.
    pub headers: Vec<(&'static str, String)>,
}

/// Writes the request.
pub fn print(request: &ApiRequest) -> Printed {
    let method = method(&request.action);
    Printed {
        method,
        path: path(&request.action),
        query: query::print_query(request),
        headers: headers(request, method),
    }
}

fn method(action: &Action) -> &'static str {
    match action {
        Action::Read {
            headers_only: true, ..
        }
        | Action::Describe { headers_only: true }
        | Action::Call {
            invocation: Invocation::Head,
            ..
        } => "HEAD",
        Action::Read { .. }
        | Action::Describe { .. }
        | Action::Call {
            invocation: Invocation::Get,
            ..
        } => "GET",
        Action::Call {
            invocation: Invocation::Post,
            ..
        }
        | Action::Mutate {
            mutation: Mutation::Create,
            ..
        } => "POST",
        Action::Mutate {
            mutation: Mutation::Update,
            ..
        } => "PATCH",
        Action::Mutate {
            mutation: Mutation::SingleUpsert,
            ..
        } => "PUT",
        Action::Mutate {
            mutation: Mutation::Delete,
            ..
        } => "DELETE",
        Action::RelationInfo { .. } | Action::RoutineInfo { .. } | Action::SchemaInfo => "OPTIONS",
    }
}

fn path(action: &Action) -> String {
    let (prefix, name) = match action {
        Action::Describe { .. } | Action::SchemaInfo => return "/".to_owned(),
        Action::Read { relation, .. }
        | Action::Mutate { relation, .. }
        | Action::RelationInfo { relation } => ("/", relation),
        Action::Call { function, .. } | Action::RoutineInfo { function } => ("/rpc/", function),
    };
    let mut path = prefix.to_owned();
    push_encoded(&mut path, name);
    path
}

fn headers(request: &ApiRequest, method: &str) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    if request.negotiated_by_profile {
        headers.push((profile_header(method), request.schema.clone()));
    }
    if request.accept != [MediaType::Any] {
        headers.push(("accept", accept(&request.accept)));
    }
    if request.content_type != MediaType::Json {
        headers.push(("content-type", media_type(&request.content_type)));
    }
    headers.extend(prefer(&request.preferences).map(|value| ("prefer", value)));
    headers
}

/// Qualities keep the order, which specificity would change otherwise.
fn accept(media_types: &[MediaType]) -> String {
    let mut out = String::new();
    for (index, accepted) in media_types.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&media_type(accepted));
        if media_types.len() > 1 {
            // Writing to a string cannot fail.
            let _ = write!(out, ";q=0.{:06}", 999_999_usize.saturating_sub(index));
        }
    }
    blank_unless_empty(out)
}

/// An empty header would read as none.
fn blank_unless_empty(text: String) -> String {
    if text.is_empty() {
        " ".to_owned()
    } else {
        text
    }
}

fn media_type(media_type: &MediaType) -> String {
    let MediaType::Plan {
        subject,
        json,
        options,
    } = media_type
    else {
        return media_type.mime().into_owned();
    };
    let subject = match &**subject {
        MediaType::Json => String::new(),
        MediaType::Plan {
            subject,
            json,
            options,
        } => {
            format!(";for=\"{}\"", plan(&bare_subject(subject), *json, options))
        }
        other => format!(";for=\"{}\"", other.mime()),
    };
    plan(&subject, *json, options)
}

fn plan(subject: &str, json: bool, options: &[PlanOption]) -> String {
    let mut out = String::from("application/vnd.pgrst.plan");
    out.push_str(if json { "+json" } else { "" });
    out.push_str(subject);
    for (index, option) in options.iter().enumerate() {
        out.push_str(if index == 0 { ";options=" } else { "|" });
        out.push_str(option.as_str());
    }
    out
}

/// Inside quotes there are no further quotes.
fn bare_subject(subject: &MediaType) -> String {
    match subject {
        MediaType::Json => String::new(),
        other => format!(";for={}", other.mime()),
    }
}

fn prefer(preferences: &Preferences) -> Option<String> {
    let known = [
        preferences.resolution.map(crate::Resolution::as_str),
        preferences
            .representation
            .map(crate::Representation::as_str),
        preferences.count.map(crate::Count::as_str),
        preferences.transaction.map(crate::TransactionEnd::as_str),
        preferences.missing.map(crate::Missing::as_str),
        preferences.handling.map(crate::Handling::as_str),
        preferences.update.map(crate::UpdateMatch::as_str),
        preferences.values.map(crate::ValueForm::as_str),
    ];
    let mut all: Vec<String> = known.into_iter().flatten().map(str::to_owned).collect();
    all.extend(
        preferences
            .timezone
            .as_ref()
            .map(|zone| format!("timezone={zone}")),
    );
    all.extend(
        preferences
            .max_affected
            .map(|number| format!("max-affected={number}")),
    );
    all.extend(preferences.invalid.iter().cloned());
    (!all.is_empty()).then(|| blank_unless_empty(all.join(", ")))
}
