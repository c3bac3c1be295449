//! The error body that all surfaces answer with, and how it becomes a response.
//!
//! Which status, code and texts an error has is decided by the surface it happens on; this module
//! only writes them.

use std::borrow::Cow;
use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::json;
use crate::request_id::RequestId;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What an error says, as `PostgREST` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBody {
    /// HTTP status.
    pub status: StatusCode,
    /// `PGRST…`, an SQLSTATE, or a code of the database's own.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: Cow<'static, str>,
    /// More about it.
    pub details: Option<Details>,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
    /// Headers beside those that every error has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// The `details` of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Details {
    /// A sentence.
    Text(Cow<'static, str>),
    /// JSON that is ready to be written.
    Json(String),
}

/// How much of an error a client gets to see (`client-error-verbosity`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// All of it.
    #[default]
    Verbose,
    /// Code and message.
    Minimal,
}

impl ErrorBody {
    /// An error with a code and a message.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: None,
            hint: None,
            headers: Vec::new(),
        }
    }

    /// A failure of ours (PGRSTX00): it says nothing but the id under which the log has the reason.
    pub fn internal(request_id: &RequestId) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "PGRSTX00",
            "Internal server error",
        )
        .with_details(format!("Request id: {}", request_id.as_str()))
    }

    /// The same with details.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<Cow<'static, str>>) -> Self {
        self.details = Some(Details::Text(details.into()));
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body: one JSON object without white space, its keys in alphabetical order.
    pub fn to_json(&self, verbosity: Verbosity) -> String {
        let mut out = String::with_capacity(160);
        out.push_str("{\"code\":");
        json::push_string(&mut out, &self.code);
        if verbosity == Verbosity::Verbose {
            out.push_str(",\"details\":");
            match &self.details {
                None => out.push_str("null"),
                Some(Details::Text(text)) => json::push_string(&mut out, text),
                Some(Details::Json(json)) => out.push_str(json),
            }
            out.push_str(",\"hint\":");
            match &self.hint {
                None => out.push_str("null"),
                Some(hint) => json::push_string(&mut out, hint),
            }
        }
        out.push_str(",\"message\":");
        json::push_string(&mut out, &self.message);
        out.push('}');
        out
    }

    /// The response, with the `Proxy-Status` of RFC 9209 that names the code.
    pub fn to_response(&self, verbosity: Verbosity) -> HttpResponse {
        let body = if allows_body(self.status) {
            BoxBody::new(self.to_json(verbosity))
        } else {
            BoxBody::new(actix_web::body::None::new())
        };
        let mut response = HttpResponse::with_body(self.status, body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        let mut status = String::with_capacity(32);
        // Writing to a string cannot fail.
        let _ = write!(status, "PostgREST; error={}", self.code);
        // A code that the database made up may hold what a header cannot.
        if let Ok(value) = HeaderValue::try_from(status) {
            headers.insert(PROXY_STATUS, value);
        }
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        response
    }
}

/// Whether a response of this status has a body at all (RFC 9110, section 6.4.1). One that came
/// nevertheless would be read as the beginning of the next response.
pub fn allows_body(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    fn sample() -> ErrorBody {
        ErrorBody::new(StatusCode::NOT_FOUND, "PGRST205", "no \"x\"").with_hint("look\nagain")
    }

    #[test]
    fn keys_are_in_the_order_of_the_contract() {
        assert_eq!(
            sample().to_json(Verbosity::Verbose),
            r#"{"code":"PGRST205","details":null,"hint":"look\nagain","message":"no \"x\""}"#
        );
    }

    #[test]
    fn minimal_has_code_and_message() {
        assert_eq!(
            sample().to_json(Verbosity::Minimal),
            r#"{"code":"PGRST205","message":"no \"x\""}"#
        );
    }

    #[test]
    fn a_response_names_its_code_in_proxy_status() {
        let response = sample().to_response(Verbosity::Verbose);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            response.headers().get("proxy-status").unwrap(),
            "PostgREST; error=PGRST205"
        );
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "application/json; charset=utf-8"
        );
    }

    #[test]
    fn a_code_that_no_header_can_hold_leaves_the_header_out() {
        let response =
            ErrorBody::new(StatusCode::BAD_REQUEST, "a\nb", "m").to_response(Verbosity::Verbose);
        assert!(response.headers().get("proxy-status").is_none());
    }

    #[test]
    fn a_status_without_a_body_gets_none() {
        let response =
            ErrorBody::new(StatusCode::NO_CONTENT, "x", "m").to_response(Verbosity::Verbose);
        assert_eq!(response.body().size(), actix_web::body::BodySize::None);
    }
}
