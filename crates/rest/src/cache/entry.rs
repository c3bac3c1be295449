//! Between replies that are kept and HTTP: entity tags, conditional requests, who may keep them
//! further on (RFC 9110, RFC 9111).

use std::fmt::Write as _;
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use bytes::Bytes;
use passerelle_cache::{Grace, Kept, KeyBuilder, Moment};

use super::Policy;
use super::basis::Basis;
use super::counters::Outcome;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const VARIES: HeaderValue =
    HeaderValue::from_static("Accept, Accept-Profile, Prefer, Range, Authorization, apikey");
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, max-age=0, must-revalidate");

/// Who may have a reply besides the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Anyone,
    Nobody,
}

/// How a kept reply becomes a response to one request.
pub(crate) struct Entry<'a> {
    pub(crate) request: &'a HeaderMap,
    pub(crate) sharing: Sharing,
    /// The method is one for which the client may have the reply already.
    pub(crate) is_conditional: bool,
    /// The request is HEAD.
    pub(crate) headers_only: bool,
}

/// A reply that may be kept: its status, headers and body.
pub(crate) struct NewReply {
    status: StatusCode,
    headers: Vec<(Box<str>, Bytes)>,
    etag: Box<str>,
    body: Bytes,
}

/// Whether the client wants no reply that was kept.
pub(crate) fn wants_fresh(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CACHE_CONTROL);
    lines.any(|line| {
        let line = line.to_str().unwrap_or_default();
        let mut directives = line.split(',').map(str::trim);
        directives
            .any(|one| one.eq_ignore_ascii_case("no-cache") || one.eq_ignore_ascii_case("no-store"))
    })
}

impl NewReply {
    /// Takes a response apart.
    ///
    /// # Errors
    /// The response as it was, if its body does not lie in memory.
    pub(crate) fn of(response: HttpResponse) -> Result<Self, Box<HttpResponse>> {
        let status = response.status();
        let (head, body) = response.into_parts();
        let body = match body.try_into_bytes() {
            Ok(body) => body,
            Err(body) => return Err(Box::new(head.set_body(body))),
        };
        let headers = head.headers().iter().map(|(name, value)| {
            let value = Bytes::copy_from_slice(value.as_bytes());
            (name.as_str().into(), value)
        });
        let headers: Vec<(Box<str>, Bytes)> = headers.collect();
        Ok(Self {
            etag: etag(status, &headers, &body),
            status,
            headers,
            body,
        })
    }

    /// Whether it is worth keeping.
    pub(crate) fn is_kept(&self, policy: &Policy) -> bool {
        self.status.is_success() && self.body.len() <= policy.most_bytes
    }

    /// As it is kept, found at a moment.
    pub(crate) fn kept(self, basis: &Basis, found: Moment, at: Instant) -> Kept {
        Kept {
            status: self.status.as_u16(),
            headers: self.headers,
            etag: self.etag,
            body: Bytes::copy_from_slice(&self.body),
            found,
            on: basis.on.clone(),
            at,
            ttl: basis.ttl,
            grace: Grace::new(basis.grace, at),
        }
    }
}

/// Differs whenever what the client sees does.
fn etag(status: StatusCode, headers: &[(Box<str>, Bytes)], body: &Bytes) -> Box<str> {
    let mut seen = KeyBuilder::with_capacity(body.len() + 256);
    seen.number(u64::from(status.as_u16()));
    for (name, value) in headers {
        if **name == *CONTENT_RANGE.as_str() || **name == *CONTENT_TYPE.as_str() {
            seen.part(value);
        }
    }
    seen.part(body);
    let digest = seen.finish();
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &digest.as_bytes()[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag.into()
}

impl Entry<'_> {
    /// The response with a reply, or without where the client has the same.
    pub(crate) fn respond(&self, kept: &Kept, outcome: Outcome, now: Instant) -> HttpResponse {
        let is_known = self.is_conditional && self.is_known(&kept.etag);
        let status = if is_known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK)
        };
        let body = if is_known || self.headers_only {
            BoxBody::new(actix_web::body::None::new())
        } else {
            BoxBody::new(kept.body.clone())
        };
        let mut response = HttpResponse::with_body(status, body);
        let headers = response.headers_mut();
        headers.reserve(kept.headers.len() + 5);
        for (name, value) in &kept.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::try_from(&**name),
                HeaderValue::from_maybe_shared(value.clone()),
            ) && !(is_known && describes_body(&name))
            {
                headers.append(name, value);
            }
        }
        if let Ok(etag) = HeaderValue::from_str(&kept.etag) {
            headers.insert(ETAG, etag);
        }
        if matches!(outcome, Outcome::Hit | Outcome::Stale) {
            headers.insert(AGE, HeaderValue::from(kept.age(now).as_secs()));
        }
        headers.insert(
            CACHE_CONTROL,
            match self.sharing {
                Sharing::Anyone => PUBLIC,
                Sharing::Nobody => PRIVATE,
            },
        );
        mark(headers, outcome);
        response
    }

    /// Whether the client has this very reply (RFC 9110, section 13.1.2).
    fn is_known(&self, etag: &str) -> bool {
        let mut lines = self.request.get_all(IF_NONE_MATCH);
        lines.any(|line| {
            let line = line.to_str().unwrap_or_default();
            let mut tags = line.split(',').map(str::trim);
            tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
        })
    }
}

/// Tells what the cache did, on a response of something that it is configured for.
pub(crate) fn mark(headers: &mut HeaderMap, outcome: Outcome) {
    headers.insert(VARY, VARIES);
    headers.insert(X_CACHE, HeaderValue::from_static(outcome.as_str()));
}

fn describes_body(name: &HeaderName) -> bool {
    [CONTENT_TYPE, CONTENT_RANGE, CONTENT_LENGTH].contains(name)
}

#[cfg(test)]
mod tests;
