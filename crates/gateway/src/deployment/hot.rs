//! Redis, and the limits that are kept in it, as `passerelle serve` is configured.

use std::time::Duration;

use passerelle_store::{RedisSettings, Store};
use passerelle_surface::{RateLimitSettings, RouteClass, TrustedProxies};

use super::DeploymentError;
use crate::config::Settings;

/// Redis, or this process's memory where none is configured.
pub(super) fn store(settings: &Settings) -> Result<Store, DeploymentError> {
    let redis = &settings.redis;
    if redis.url.is_empty() {
        return Ok(Store::memory());
    }
    let authorities = match redis.ca_file.as_str() {
        "" => None,
        path => Some(
            std::fs::read(path).map_err(|source| DeploymentError::Authorities {
                path: path.into(),
                source,
            })?,
        ),
    };
    Ok(Store::redis(&RedisSettings {
        url: redis.url.clone(),
        authorities,
        key_prefix: redis.key_prefix.clone(),
        timeout: Duration::from_millis(redis.timeout_milliseconds),
    })?)
}

/// How many requests a caller may make; as many as it likes where limits are off.
pub(super) fn rate_limits(
    settings: &Settings,
    proxies: TrustedProxies,
) -> Result<Option<RateLimitSettings>, DeploymentError> {
    let limits = &settings.rate_limits;
    if !limits.enabled {
        return Ok(None);
    }
    let mut policies = Vec::with_capacity(RouteClass::ALL.len());
    for class in RouteClass::ALL {
        policies.push(limits.policy(class)?);
    }
    let policy = |class: RouteClass| policies[class as usize];
    let exempt_roles = limits.exempt_roles.clone();
    Ok(Some(RateLimitSettings::new(policy, exempt_roles, proxies)))
}
