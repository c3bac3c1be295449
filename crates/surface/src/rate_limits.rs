//! Limits of rates, in front of whatever a surface does.
//!
//! A caller is a user, a key that is not everybody's, or else an address; each class of requests is
//! counted by itself. What a caller may still do goes out with every answer, as
//! draft-ietf-httpapi-ratelimit-headers has it.

mod caller;
mod counters;
mod quota;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderValue;
use passerelle_store::{RateLimiter, RatePolicy, Store};

pub use self::caller::RateCaller;
use self::counters::Counters;
pub use self::quota::Quota;
use crate::client_address::TrustedProxies;

/// Requests that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteClass {
    /// Reading: GET and HEAD.
    Read,
    /// Writing: POST, PATCH, PUT and DELETE.
    Write,
    /// Calling functions.
    Rpc,
    /// Signing up and in, by address.
    SignIn,
    /// Passwords tried at one account, by account and address.
    Attempt,
    /// Exchanging refresh tokens, by address.
    Refresh,
    /// Mails, by the address that they are for.
    Mail,
}

impl RouteClass {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Write,
        Self::Rpc,
        Self::SignIn,
        Self::Attempt,
        Self::Refresh,
        Self::Mail,
    ];

    /// Its name in headers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Rpc => "rpc",
            Self::SignIn => "sign_in",
            Self::Attempt => "attempt",
            Self::Refresh => "refresh",
            Self::Mail => "mail",
        }
    }
}

/// What the configuration says about limits.
#[derive(Clone, Debug)]
pub struct RateLimitSettings {
    /// By class.
    policies: [NamedPolicy; RouteClass::ALL.len()],
    exempt_roles: Vec<String>,
    trusted_proxies: TrustedProxies,
}

/// A policy, and how a header describes it.
#[derive(Clone, Debug)]
struct NamedPolicy {
    policy: RatePolicy,
    header: HeaderValue,
}

impl RateLimitSettings {
    /// Limits each class by its policy, but for these roles. Whose word on a caller's address is
    /// taken is said by `trusted_proxies`.
    pub fn new(
        policy: impl Fn(RouteClass) -> RatePolicy,
        exempt_roles: Vec<String>,
        trusted_proxies: TrustedProxies,
    ) -> Self {
        Self {
            policies: RouteClass::ALL.map(|class| NamedPolicy::new(class, policy(class))),
            exempt_roles,
            trusted_proxies,
        }
    }
}

impl NamedPolicy {
    fn new(class: RouteClass, policy: RatePolicy) -> Self {
        let (name, burst) = (class.as_str(), policy.burst());
        let window = whole_seconds(policy.refill());
        let header = HeaderValue::try_from(format!("\"{name}\";q={burst};w={window}"));
        Self {
            policy,
            header: header.unwrap_or(HeaderValue::from_static("")),
        }
    }
}

/// Seconds as headers count them: at least one, and never too early.
fn whole_seconds(duration: Duration) -> u64 {
    let begun = u64::from(duration.subsec_nanos() != 0);
    (duration.as_secs() + begun).max(1)
}

/// The limits of a server: what its workers share.
#[derive(Clone, Debug)]
pub struct RateLimits {
    store: Store,
    counters: Arc<Counters>,
}

/// The limits as one worker sees them.
#[derive(Debug)]
pub struct RateGate {
    limiter: RateLimiter,
    counters: Arc<Counters>,
}

impl RateLimits {
    /// Where they are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Limits that are kept in this store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            counters: Arc::default(),
        }
    }

    /// The limits for a worker, whose runtime is the current one.
    pub fn for_worker(&self) -> RateGate {
        RateGate {
            limiter: self.store.rate_limiter(),
            counters: Arc::clone(&self.counters),
        }
    }

    /// Appends what was decided, and how Redis is doing, in Prometheus' text format.
    pub fn render(&self, out: &mut String) {
        self.counters.render(out);
        if let Some(status) = self.store.status() {
            counters::render_store(status, out);
        }
    }
}

impl RateGate {
    /// Counts a request, unless its caller has made too many.
    pub async fn admit(
        &self,
        settings: &RateLimitSettings,
        class: RouteClass,
        caller: &RateCaller<'_>,
    ) -> Quota {
        let named = &settings.policies[class as usize];
        let key = caller.key(class);
        let checked = self.limiter.check(&key, &named.policy, Instant::now());
        let decision = checked.await;
        self.counters.count(class, &decision);
        Quota::new(class, named, decision)
    }
}
