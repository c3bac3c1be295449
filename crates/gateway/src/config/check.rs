//! Ranges, and what settings mean to each other.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use passerelle_surface::Network;

use super::{ConfigError, Settings};
use crate::pgrst::is_proxy_uri;

const DAY: u64 = 24 * 60 * 60;
const MEGABYTE: u64 = 1024 * 1024;

/// Refuses what cannot be meant.
pub(super) fn check(settings: &Settings) -> Result<(), ConfigError> {
    server(settings)?;
    database(settings)?;
    let limits = &settings.limits;
    within(
        "limits.query_bytes",
        limits.query_bytes as u64,
        256..=MEGABYTE,
    )?;
    within(
        "limits.query_body_bytes",
        limits.query_body_bytes as u64,
        1024..=16 * MEGABYTE,
    )?;
    within("limits.embed_depth", limits.embed_depth as u64, 0..=64)?;
    within("limits.logic_depth", limits.logic_depth as u64, 1..=64)?;
    within("limits.items", limits.items as u64, 1..=100_000)?;
    within("limits.batch_items", limits.batch_items as u64, 1..=1000)?;
    within(
        "limits.batch_result_bytes",
        limits.batch_result_bytes as u64,
        1024..=1024 * MEGABYTE,
    )?;
    within("limits.exports", limits.exports as u64, 0..=10_000)?;
    within("limits.export_seconds", limits.export_seconds, 1..=DAY)?;
    within(
        "limits.export_stall_seconds",
        limits.export_stall_seconds,
        1..=DAY,
    )?;
    for cost in limits.plan_cost.values() {
        within("limits.plan_cost", *cost, 1..=1_000_000_000_000)?;
    }
    within(
        "auth.cache_max_entries",
        settings.auth.cache_max_entries as u64,
        0..=1_000_000,
    )?;
    auth(settings)?;
    within(
        "redis.timeout_milliseconds",
        settings.redis.timeout_milliseconds,
        10..=60_000,
    )?;
    super::jobs::jobs(&settings.jobs)?;
    settings.cache.check()?;
    settings.realtime.check()?;
    settings.rate_limits.check()
}

fn auth(settings: &Settings) -> Result<(), ConfigError> {
    let auth = &settings.auth;
    // Sessions that have ended are remembered for a little longer.
    within(
        "auth.access_token_seconds",
        auth.access_token_seconds,
        30..=DAY,
    )?;
    within(
        "auth.password_min_length",
        auth.password_min_length as u64,
        1..=128,
    )?;
    within(
        "auth.password_workers",
        auth.password_workers as u64,
        0..=256,
    )?;
    within("auth.session_seconds", auth.session_seconds, 0..=3650 * DAY)?;
    within(
        "auth.session_inactive_seconds",
        auth.session_inactive_seconds,
        0..=3650 * DAY,
    )?;
    within(
        "auth.refresh_reuse_seconds",
        auth.refresh_reuse_seconds,
        0..=300,
    )?;
    within(
        "auth.session_tracking_seconds",
        auth.session_tracking_seconds,
        60..=365 * DAY,
    )?;
    super::hooks(auth)?;
    super::providers(&auth.providers)?;
    within("auth.one_time_seconds", auth.one_time_seconds, 60..=DAY)?;
    if !auth.site_url.is_empty() && !auth.site_url.contains("://") {
        return Err(value(
            "auth.site_url",
            "a URL, such as https://app.example.com",
        ));
    }
    if !settings.mail.smtp_url.is_empty() && settings.mail.from.is_empty() {
        return Err(value("mail.from", "the address that mails come from"));
    }
    Ok(())
}

fn server(settings: &Settings) -> Result<(), ConfigError> {
    let server = &settings.server;
    address("server.host", &server.host)?;
    address("server.admin_host", &server.admin_host)?;
    if server.port != 0 && server.port == server.admin_port && server.host == server.admin_host {
        return Err(value("server.admin_port", "another port than server.port"));
    }
    within("server.workers", server.workers as u64, 0..=1024)?;
    within("server.job_workers", server.job_workers as u64, 0..=100)?;
    within(
        "server.max_connections",
        server.max_connections as u64,
        1..=1_000_000,
    )?;
    within(
        "server.max_body_bytes",
        server.max_body_bytes,
        1024..=1024 * MEGABYTE,
    )?;
    within(
        "server.max_url_bytes",
        server.max_url_bytes as u64,
        1024..=60_000,
    )?;
    within(
        "server.max_header_bytes",
        server.max_header_bytes as u64,
        4096..=120_000,
    )?;
    within(
        "server.keep_alive_seconds",
        server.keep_alive_seconds,
        0..=3600,
    )?;
    within(
        "server.request_head_timeout_seconds",
        server.request_head_timeout_seconds,
        1..=300,
    )?;
    within(
        "server.shutdown_timeout_seconds",
        server.shutdown_timeout_seconds,
        0..=3600,
    )?;
    if server
        .trusted_proxies
        .iter()
        .any(|network| network.parse::<Network>().is_err())
    {
        return Err(value(
            "server.trusted_proxies",
            "a list of addresses or networks (10.0.0.0/8)",
        ));
    }
    if !server.public_url.is_empty() && !is_proxy_uri(&server.public_url) {
        return Err(value(
            "server.public_url",
            "an http or https URL without user, query and fragment",
        ));
    }
    let is_origin = |origin: &String| origin.contains("://") && !origin.ends_with('/');
    if !server.cors_allowed_origins.iter().all(is_origin) {
        return Err(value(
            "server.cors_allowed_origins",
            "a list of origins (https://app.example.com)",
        ));
    }
    Ok(())
}

fn database(settings: &Settings) -> Result<(), ConfigError> {
    let database = &settings.database;
    within("database.pool_size", database.pool_size as u64, 1..=10_000)?;
    let timeout = database.pool_acquisition_timeout_seconds;
    within(
        "database.pool_acquisition_timeout_seconds",
        timeout,
        1..=3600,
    )?;
    within(
        "database.pool_max_lifetime_seconds",
        database.pool_max_lifetime_seconds,
        1..=DAY,
    )?;
    within(
        "database.pool_max_idle_seconds",
        database.pool_max_idle_seconds,
        1..=DAY,
    )?;
    within(
        "database.flight_timeout_seconds",
        database.flight_timeout_seconds,
        0..=DAY,
    )?;
    within(
        "database.max_rows",
        database.max_rows,
        0..=u64::from(u32::MAX),
    )?;
    if database.schemas.is_empty() || database.schemas.iter().any(String::is_empty) {
        return Err(value("database.schemas", "a list of at least one schema"));
    }
    for system in ["pg_catalog", "information_schema"] {
        if database.schemas.iter().any(|schema| schema == system) {
            return Err(value("database.schemas", "a list without system schemas"));
        }
    }
    Ok(())
}

pub(super) fn within(
    key: &'static str,
    number: u64,
    range: RangeInclusive<u64>,
) -> Result<(), ConfigError> {
    if range.contains(&number) {
        return Ok(());
    }
    let expected = format!("between {} and {}", range.start(), range.end());
    Err(ConfigError::Value { key, expected })
}

fn address(key: &'static str, text: &str) -> Result<(), ConfigError> {
    text.parse::<IpAddr>()
        .map(drop)
        .map_err(|_| value(key, "an IP address"))
}

fn value(key: &'static str, expected: &str) -> ConfigError {
    ConfigError::Value {
        key,
        expected: expected.to_owned(),
    }
}
