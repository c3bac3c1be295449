//! What the parts of a server count, in Prometheus' text format, under our names and under those of
//! PostgREST, which dashboards know.

use std::fmt::{Display, Write as _};

use passerelle_auth::HashCounts;
use passerelle_jobs::Queue;
use passerelle_realtime::RealtimeCounts;

use super::Watched;
use crate::server::cache::Cache;

/// Appends all figures.
pub(super) fn render(watched: &Watched, out: &mut String) {
    pool(watched, out);
    catalog(watched, out);
    tokens(watched, out);
    jobs(watched, out);
    if let Some(accounts) = &watched.accounts {
        passwords(accounts.hash_counts(), out);
    }
    if let Some(realtime) = &watched.realtime {
        sockets(realtime.counts(), out);
    }
    if let Some(cache) = &watched.cache {
        replies(cache, out);
    }
}

/// Signing in.
fn passwords(counts: HashCounts, out: &mut String) {
    for (name, help, value) in [
        (
            "passerelle_password_hashes_total",
            "Hashes of passwords that were computed.",
            counts.done,
        ),
        (
            "passerelle_password_hashes_refused_total",
            "Passwords that there was no time for.",
            counts.refused,
        ),
    ] {
        figure(out, name, "counter", help, "", value);
    }
}

/// Sockets and channels.
fn sockets(counts: RealtimeCounts, out: &mut String) {
    for (name, kind, help, value) in [
        (
            "passerelle_realtime_sockets",
            "gauge",
            "Open sockets.",
            counts.sockets,
        ),
        (
            "passerelle_realtime_channels",
            "gauge",
            "Channels that sockets have joined.",
            counts.channels,
        ),
        (
            "passerelle_realtime_topics",
            "gauge",
            "Different channels that are joined.",
            counts.topics,
        ),
        (
            "passerelle_realtime_subscriptions",
            "gauge",
            "Joined channels that follow changes of rows.",
            counts.subscriptions,
        ),
        (
            "passerelle_realtime_following",
            "gauge",
            "Whether changes of rows come.",
            u64::from(counts.is_following),
        ),
        (
            "passerelle_realtime_joins_total",
            "counter",
            "Channels that were joined.",
            counts.joins,
        ),
        (
            "passerelle_realtime_received_total",
            "counter",
            "Messages from clients.",
            counts.received,
        ),
        (
            "passerelle_realtime_delivered_total",
            "counter",
            "Messages to clients, but for replies.",
            counts.delivered,
        ),
        (
            "passerelle_realtime_changes_total",
            "counter",
            "Changes of rows.",
            counts.changes,
        ),
        (
            "passerelle_realtime_evaluations_total",
            "counter",
            "Statements that asked policies about changes.",
            counts.asked,
        ),
        (
            "passerelle_realtime_slow_total",
            "counter",
            "Sockets that were closed because they read too slowly.",
            counts.slow,
        ),
    ] {
        figure(out, name, kind, help, "", value);
    }
}

/// Work that followed.
fn jobs(watched: &Watched, out: &mut String) {
    let counts = watched.workers.counts();
    for (name, help, value) in [
        (
            "passerelle_jobs_done_total",
            "Jobs that this server has done.",
            counts.done,
        ),
        (
            "passerelle_jobs_failed_total",
            "Attempts at jobs that failed.",
            counts.failed,
        ),
        (
            "passerelle_jobs_dead_total",
            "Jobs that are dead after their last attempt.",
            counts.dead,
        ),
    ] {
        figure(out, name, "counter", help, "", value);
    }
    let queues = watched.workers.queues();
    let all: [QueueFigure; 3] = [
        (
            "passerelle_jobs_waiting",
            "Jobs that are not done and not dead.",
            |queue| count(queue.waiting),
        ),
        (
            "passerelle_jobs_dead",
            "Jobs that have failed too often.",
            |queue| count(queue.dead),
        ),
        (
            "passerelle_jobs_overdue_seconds",
            "For how long the oldest job has been due.",
            |queue| queue.oldest_seconds,
        ),
    ];
    for (name, help, value) in all {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for queue in &queues {
            let job = label(&queue.job);
            let _ = writeln!(out, "{name}{{job=\"{job}\"}} {}", value(queue));
        }
    }
}

/// Name, help and value of a figure of each queue.
type QueueFigure = (&'static str, &'static str, fn(&Queue) -> f64);

fn count(number: i64) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// Replies that are kept.
fn replies(cache: &Cache, out: &mut String) {
    let (freshness, feed) = cache.status();
    let (bytes, kept) = cache.replies.size();
    for (name, kind, help, value) in [
        (
            "passerelle_cache_sure",
            "gauge",
            "Whether replies that were kept are handed out.",
            u64::from(freshness.is_sure),
        ),
        (
            "passerelle_cache_bytes",
            "gauge",
            "Bytes that kept replies take, roughly.",
            bytes,
        ),
        (
            "passerelle_cache_replies",
            "gauge",
            "Replies that are kept, roughly.",
            kept,
        ),
        (
            "passerelle_feed_sessions_total",
            "counter",
            "How often changes began to be followed.",
            feed.sessions,
        ),
    ] {
        figure(out, name, kind, help, "", value);
    }
    let name = "passerelle_cache_requests_total";
    let _ = writeln!(
        out,
        "# HELP {name} Requests for what may be kept, by what the cache did.\n# TYPE {name} counter"
    );
    for counters in cache.replies.counters() {
        for (result, value) in [
            ("hit", counters.hits),
            ("stale", counters.stale),
            ("miss", counters.misses),
            ("bypass", counters.bypasses),
        ] {
            let target = label(&counters.name.to_string());
            let _ = writeln!(
                out,
                "{name}{{target=\"{target}\",result=\"{result}\"}} {value}"
            );
        }
    }
}

/// A label's value as Prometheus' text format writes it.
fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

fn pool(watched: &Watched, out: &mut String) {
    let status = watched.pools.status();
    // Connections that are not open yet can be had as well.
    let available = status.max_size - status.size + status.idle;
    for (name, help, value) in [
        (
            "passerelle_pool_connections",
            "Connections to PostgreSQL.",
            status.size,
        ),
        (
            "passerelle_pool_idle",
            "Connections that nobody uses.",
            status.idle,
        ),
        (
            "passerelle_pool_waiting",
            "Requests that wait for a connection.",
            status.waiting,
        ),
        (
            "passerelle_pool_max",
            "Connections there may be.",
            status.max_size,
        ),
        (
            "pgrst_db_pool_available",
            "Connections that can be had.",
            available,
        ),
        (
            "pgrst_db_pool_waiting",
            "As passerelle_pool_waiting.",
            status.waiting,
        ),
        (
            "pgrst_db_pool_max",
            "As passerelle_pool_max.",
            status.max_size,
        ),
    ] {
        figure(out, name, "gauge", help, "", value);
    }
    for (name, help) in [
        (
            "passerelle_pool_timeouts_total",
            "Requests for which no connection became free in time.",
        ),
        (
            "pgrst_db_pool_timeouts_total",
            "As passerelle_pool_timeouts_total.",
        ),
    ] {
        figure(out, name, "counter", help, "", status.timeouts);
    }
}

fn catalog(watched: &Watched, out: &mut String) {
    let status = watched.keeper.status();
    let ready = u8::from(status.is_ready());
    let help = "Whether the last attempt to load the catalogue succeeded.";
    figure(out, "passerelle_catalog_ready", "gauge", help, "", ready);
    let seconds = status.load_duration.as_secs_f64();
    for (name, help) in [
        (
            "passerelle_catalog_load_seconds",
            "How long the last load took.",
        ),
        (
            "pgrst_schema_cache_query_time_seconds",
            "As passerelle_catalog_load_seconds.",
        ),
    ] {
        figure(out, name, "gauge", help, "", seconds);
    }
    let (loads, failures) = (status.loads, status.failures);
    let help = "Catalogues loaded.";
    figure(
        out,
        "passerelle_catalog_loads_total",
        "counter",
        help,
        "",
        loads,
    );
    let help = "Attempts to connect or to load that failed.";
    figure(
        out,
        "passerelle_catalog_failures_total",
        "counter",
        help,
        "",
        failures,
    );
    let name = "pgrst_schema_cache_loads_total";
    let help = "Catalogues loaded, and attempts that failed.";
    figure(out, name, "counter", help, "{status=\"SUCCESS\"}", loads);
    let _ = writeln!(out, "{name}{{status=\"FAIL\"}} {failures}");
}

fn tokens(watched: &Watched, out: &mut String) {
    let counts = watched.state.verifier().cache_counts();
    for (names, help, value) in [
        (
            [
                "passerelle_token_cache_lookups_total",
                "pgrst_jwt_cache_requests_total",
            ],
            "Tokens looked up among those verified before, since the configuration was read.",
            counts.lookups,
        ),
        (
            [
                "passerelle_token_cache_hits_total",
                "pgrst_jwt_cache_hits_total",
            ],
            "Tokens that were found there.",
            counts.hits,
        ),
        (
            [
                "passerelle_token_cache_evictions_total",
                "pgrst_jwt_cache_evictions_total",
            ],
            "Tokens that made room there for another.",
            counts.evictions,
        ),
    ] {
        for name in names {
            figure(out, name, "counter", help, "", value);
        }
    }
}

fn figure(out: &mut String, name: &str, kind: &str, help: &str, labels: &str, value: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}\n"
    );
}
