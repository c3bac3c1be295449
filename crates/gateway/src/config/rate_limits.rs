//! `[rate_limits]`: how many requests a caller may make.

use std::time::Duration;

use passerelle_store::{PolicyError, RatePolicy};
use passerelle_surface::RouteClass;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::within;

/// `[rate_limits]`
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RateLimitSettings {
    pub(crate) enabled: bool,
    pub(crate) read_requests: u32,
    pub(crate) read_period_seconds: u64,
    pub(crate) read_burst: u32,
    pub(crate) write_requests: u32,
    pub(crate) write_period_seconds: u64,
    pub(crate) write_burst: u32,
    pub(crate) rpc_requests: u32,
    pub(crate) rpc_period_seconds: u64,
    pub(crate) rpc_burst: u32,
    pub(crate) sign_in_requests: u32,
    pub(crate) sign_in_period_seconds: u64,
    pub(crate) sign_in_burst: u32,
    pub(crate) attempt_requests: u32,
    pub(crate) attempt_period_seconds: u64,
    pub(crate) attempt_burst: u32,
    pub(crate) refresh_requests: u32,
    pub(crate) refresh_period_seconds: u64,
    pub(crate) refresh_burst: u32,
    pub(crate) mail_requests: u32,
    pub(crate) mail_period_seconds: u64,
    pub(crate) mail_burst: u32,
    pub(crate) exempt_roles: Vec<String>,
}

impl Default for RateLimitSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            read_requests: 3000,
            read_period_seconds: 60,
            read_burst: 1000,
            write_requests: 600,
            write_period_seconds: 60,
            write_burst: 200,
            rpc_requests: 1200,
            rpc_period_seconds: 60,
            rpc_burst: 300,
            sign_in_requests: 60,
            sign_in_period_seconds: 300,
            sign_in_burst: 30,
            attempt_requests: 10,
            attempt_period_seconds: 300,
            attempt_burst: 10,
            refresh_requests: 600,
            refresh_period_seconds: 300,
            refresh_burst: 150,
            mail_requests: 10,
            mail_period_seconds: 600,
            mail_burst: 3,
            exempt_roles: vec!["service_role".to_owned()],
        }
    }
}

/// One class as it is configured, with the keys that say so.
struct ClassSettings {
    requests: (&'static str, u32),
    period: (&'static str, u64),
    burst: (&'static str, u32),
}

impl RateLimitSettings {
    /// The policy of a class.
    pub(crate) fn policy(&self, class: RouteClass) -> Result<RatePolicy, PolicyError> {
        let class = self.class(class);
        let period = Duration::from_secs(class.period.1);
        RatePolicy::new(class.requests.1, period, class.burst.1)
    }

    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for class in RouteClass::ALL {
            let settings = self.class(class);
            let (requests, period, burst) = (settings.requests, settings.period, settings.burst);
            within(requests.0, requests.1.into(), 1..=1_000_000)?;
            within(period.0, period.1, 1..=86_400)?;
            within(burst.0, burst.1.into(), 1..=1_000_000)?;
            self.policy(class).map_err(|_| ConfigError::Value {
                key: burst.0,
                expected: "small enough to be available again within 30 days".to_owned(),
            })?;
        }
        Ok(())
    }

    fn class(&self, class: RouteClass) -> ClassSettings {
        match class {
            RouteClass::Read => ClassSettings {
                requests: ("rate_limits.read_requests", self.read_requests),
                period: ("rate_limits.read_period_seconds", self.read_period_seconds),
                burst: ("rate_limits.read_burst", self.read_burst),
            },
            RouteClass::Write => ClassSettings {
                requests: ("rate_limits.write_requests", self.write_requests),
                period: (
                    "rate_limits.write_period_seconds",
                    self.write_period_seconds,
                ),
                burst: ("rate_limits.write_burst", self.write_burst),
            },
            RouteClass::Rpc => ClassSettings {
                requests: ("rate_limits.rpc_requests", self.rpc_requests),
                period: ("rate_limits.rpc_period_seconds", self.rpc_period_seconds),
                burst: ("rate_limits.rpc_burst", self.rpc_burst),
            },
            RouteClass::SignIn => ClassSettings {
                requests: ("rate_limits.sign_in_requests", self.sign_in_requests),
                period: (
                    "rate_limits.sign_in_period_seconds",
                    self.sign_in_period_seconds,
                ),
                burst: ("rate_limits.sign_in_burst", self.sign_in_burst),
            },
            RouteClass::Attempt => ClassSettings {
                requests: ("rate_limits.attempt_requests", self.attempt_requests),
                period: (
                    "rate_limits.attempt_period_seconds",
                    self.attempt_period_seconds,
                ),
                burst: ("rate_limits.attempt_burst", self.attempt_burst),
            },
            RouteClass::Mail => ClassSettings {
                requests: ("rate_limits.mail_requests", self.mail_requests),
                period: ("rate_limits.mail_period_seconds", self.mail_period_seconds),
                burst: ("rate_limits.mail_burst", self.mail_burst),
            },
            RouteClass::Refresh => ClassSettings {
                requests: ("rate_limits.refresh_requests", self.refresh_requests),
                period: (
                    "rate_limits.refresh_period_seconds",
                    self.refresh_period_seconds,
                ),
                burst: ("rate_limits.refresh_burst", self.refresh_burst),
            },
        }
    }
}
