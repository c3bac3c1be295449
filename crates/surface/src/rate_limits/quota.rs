//! What a caller is told about its limit.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use passerelle_store::{Decision, Verdict};

use super::{NamedPolicy, RouteClass, whole_seconds};
use crate::ErrorBody;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is left to a caller after a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    class: RouteClass,
    burst: u32,
    policy: HeaderValue,
    decision: Decision,
}

impl Quota {
    pub(super) fn new(class: RouteClass, named: &NamedPolicy, decision: Decision) -> Self {
        Self {
            class,
            burst: named.policy.burst(),
            policy: named.header.clone(),
            decision,
        }
    }

    /// Whether the request may go on.
    pub fn verdict(&self) -> Verdict {
        self.decision.verdict
    }

    /// Adds what a client reads to keep within its limit.
    pub fn decorate(&self, headers: &mut HeaderMap) {
        let (name, left) = (self.class.as_str(), self.decision.remaining);
        let next = whole_seconds(self.decision.next);
        headers.insert(RATELIMIT_POLICY, self.policy.clone());
        if let Ok(value) = HeaderValue::try_from(format!("\"{name}\";r={left};t={next}")) {
            headers.insert(RATELIMIT, value);
        }
    }

    /// The answer to a request that may not go on.
    pub fn error(&self) -> ErrorBody {
        let (name, burst) = (self.class.as_str(), self.burst);
        let seconds = whole_seconds(self.decision.next);
        let plural = if seconds == 1 { "" } else { "s" };
        ErrorBody::new(StatusCode::TOO_MANY_REQUESTS, "PSR429", "Too many requests")
            .with_details(format!("The quota {name:?} of {burst} requests is used up"))
            .with_hint(format!("Try again in {seconds} second{plural}"))
            .with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use passerelle_store::{Origin, RatePolicy};

    use super::*;

    fn quota(verdict: Verdict, remaining: u32, next: Duration) -> Quota {
        let policy = RatePolicy::new(100, Duration::from_mins(1), 30).unwrap();
        let decision = Decision {
            verdict,
            remaining,
            next,
            origin: Origin::Local,
            at: 0,
        };
        let class = RouteClass::Read;
        Quota::new(class, &NamedPolicy::new(class, policy), decision)
    }

    #[test]
    fn every_answer_says_what_is_left() {
        let mut headers = HeaderMap::new();
        quota(Verdict::Allowed, 29, Duration::from_millis(1)).decorate(&mut headers);
        let policy = headers.get("ratelimit-policy").unwrap();
        assert_eq!(policy, "\"read\";q=30;w=18");
        assert_eq!(headers.get("ratelimit").unwrap(), "\"read\";r=29;t=1");
    }

    #[test]
    fn a_refusal_says_when_to_try_again() {
        let quota = quota(Verdict::Limited, 0, Duration::from_millis(1500));
        let error = quota.error();
        assert_eq!(error.status, 429);
        assert_eq!(
            error.to_json(crate::Verbosity::Verbose),
            r#"{"code":"PSR429","details":"The quota \"read\" of 30 requests is used up","hint":"Try again in 2 seconds","message":"Too many requests"}"#
        );
        assert_eq!(error.headers, [(RETRY_AFTER, HeaderValue::from(2))]);
        let mut headers = HeaderMap::new();
        quota.decorate(&mut headers);
        assert_eq!(headers.get("ratelimit").unwrap(), "\"read\";r=0;t=2");
    }
}
