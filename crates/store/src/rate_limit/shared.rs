//! Limits in Redis: one script, one round trip, one key.

use std::sync::LazyLock;

use redis::Script;

use super::gcra::Outcome;
use super::{LimitKey, RatePolicy, Verdict};
use crate::error::StoreError;
use crate::link::Link;

static GCRA: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("gcra.lua")));

/// Limits that all gateways share.
#[derive(Debug)]
pub(crate) struct SharedLimits {
    link: Link,
    prefix: String,
}

impl SharedLimits {
    /// Keys begin with the prefix; the digest is the part that says where a key belongs in a
    /// cluster.
    pub(crate) fn new(link: Link, prefix: &str) -> Self {
        Self {
            link,
            prefix: format!("{prefix}limit:"),
        }
    }

    pub(super) async fn check(
        &self,
        key: &LimitKey,
        policy: &RatePolicy,
    ) -> Result<Outcome, StoreError> {
        let mut call = GCRA.key(format!("{}{{{key}}}", self.prefix));
        call.arg(policy.interval).arg(policy.span());
        let answer: (u8, u64, u64) = self
            .link
            .run(async |connection| call.invoke_async(connection).await)
            .await?;
        let (allowed, ahead, at) = answer;
        let verdict = match allowed {
            0 => Verdict::Limited,
            _ => Verdict::Allowed,
        };
        Ok(Outcome { verdict, ahead, at })
    }
}
