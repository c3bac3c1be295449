//! What the configuration says about replies that are kept.

use std::collections::HashMap;
use std::time::Duration;

use passerelle_catalog::QualifiedName;

/// Which replies are kept, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Bodies of more bytes are not kept.
    pub max_entry_bytes: usize,
    /// Tables and views.
    pub tables: HashMap<QualifiedName, CachePolicy>,
    /// Functions that write nothing.
    pub functions: HashMap<QualifiedName, CachePolicy>,
}

/// How replies of one table or function are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long a reply is kept at most.
    pub ttl: Duration,
    /// Whose replies are kept.
    pub audience: Audience,
    /// How long a reply to an anonymous caller may be handed out after it was right, while it is asked for
    /// anew; zero for not at all. What depends on the time is never.
    pub stale: Duration,
    /// How much later than it happened a change may show that comes with time alone, such as an
    /// expiry. Replies that depend on the time are not kept without.
    pub time_tolerance: Option<Duration>,
    /// Parts of the request that policies and functions look at.
    pub reads_request: RequestParts,
}

/// Whose replies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Of callers without a user's token; they share them.
    #[default]
    Anonymous,
    /// Of all callers; those with the same claims share them.
    Everyone,
}

/// Parts of a request, as SQL sees them (`request.headers` and so on).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one setting that may be declared"
)]
pub struct RequestParts {
    /// `request.method`
    pub method: bool,
    /// `request.path`
    pub path: bool,
    /// `request.headers`
    pub headers: bool,
    /// `request.cookies`
    pub cookies: bool,
}

impl RequestParts {
    /// Adds the part that a setting holds; false if it holds none.
    pub fn add(&mut self, setting: &str) -> bool {
        match setting {
            "request.method" => self.method = true,
            "request.path" => self.path = true,
            "request.headers" => self.headers = true,
            "request.cookies" => self.cookies = true,
            _ => return false,
        }
        true
    }

    /// Whether a setting holds a part that is not among these. One whose name is computed may be
    /// any.
    pub(super) fn misses(self, setting: &str) -> bool {
        match setting {
            "" => self != Self::all(),
            "request.method" => !self.method,
            "request.path" => !self.path,
            "request.headers" => !self.headers,
            "request.cookies" => !self.cookies,
            // The way of before PostgreSQL 14: one setting for each header.
            _ => setting.starts_with("request.header.") || setting.starts_with("request.cookie."),
        }
    }

    const fn all() -> Self {
        Self {
            method: true,
            path: true,
            headers: true,
            cookies: true,
        }
    }
}

impl CachePolicy {
    /// Tells policies apart.
    pub(super) fn digest(&self) -> Box<str> {
        format!("{self:?}").into()
    }

    /// How long a reply is kept that may depend on the time; not at all without a tolerance.
    pub(super) fn ttl(&self, depends_on_time: bool) -> Option<Duration> {
        if depends_on_time {
            self.time_tolerance.map(|most| most.min(self.ttl))
        } else {
            Some(self.ttl)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_the_time_is_kept_for_the_tolerance() {
        let policy = |time_tolerance| CachePolicy {
            ttl: Duration::from_mins(1),
            audience: Audience::Everyone,
            stale: Duration::ZERO,
            time_tolerance,
            reads_request: RequestParts::default(),
        };
        let seconds = Duration::from_secs;
        assert_eq!(policy(None).ttl(false), Some(seconds(60)));
        assert_eq!(policy(None).ttl(true), None);
        assert_eq!(policy(Some(seconds(5))).ttl(true), Some(seconds(5)));
        assert_eq!(policy(Some(seconds(90))).ttl(true), Some(seconds(60)));
    }

    #[test]
    fn settings_that_are_not_declared() {
        let mut parts = RequestParts::default();
        assert!(parts.add("request.headers") && !parts.add("request.jwt.claims"));
        assert!(!parts.misses("request.headers") && parts.misses("request.path"));
        assert!(!parts.misses("request.jwt.claims") && !parts.misses("app.settings.x"));
        assert!(parts.misses("") && parts.misses("request.header.origin"));
        assert!(!RequestParts::all().misses(""));
    }
}
