//! One entry per request: what was asked, by which role, and how long it took.
//!
//! An entry never holds a query string, a token or a body. Entries go to the subscriber under the
//! target `passerelle::access`; failures of the server are errors, refusals warnings, the rest is
//! information.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use tracing::Level;

use crate::metrics::{Service, Shape};
use crate::request_id::RequestId;
use crate::timing::{Stage, Stages};

/// Target of the entries, for filters of a subscriber.
const TARGET: &str = "passerelle::access";

/// What a handler tells about its request; left in the extensions of its response.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The surface.
    pub service: Service,
    /// The kind of request.
    pub shape: Shape,
    /// The role it ran as.
    pub role: Option<Arc<str>>,
    /// How long its stages took.
    pub stages: Stages,
    /// The request's id, when the body names it; the response gets the same.
    pub request_id: Option<RequestId>,
}

/// One request that was answered.
pub(crate) struct Entry<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) request_id: &'a RequestId,
    pub(crate) trace: Option<&'a Trace>,
    pub(crate) took: Duration,
    /// `None` for a stream.
    pub(crate) bytes: Option<u64>,
}

/// Whether a request that goes well gets an entry; if not, nobody needs its times.
pub fn logs_access() -> bool {
    is_enabled(StatusCode::OK)
}

fn level(status: StatusCode) -> Level {
    match status.as_u16() {
        500.. => Level::ERROR,
        400..500 => Level::WARN,
        _ => Level::INFO,
    }
}

/// Whether an entry with this status would be written at all.
pub(crate) fn is_enabled(status: StatusCode) -> bool {
    match level(status) {
        Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        Level::WARN => tracing::enabled!(target: TARGET, Level::WARN),
        _ => tracing::enabled!(target: TARGET, Level::INFO),
    }
}

/// Writes the entry.
pub(crate) fn write(entry: &Entry<'_>, client: Option<IpAddr>) {
    macro_rules! emit {
        ($level:expr) => {
            tracing::event!(
                target: TARGET,
                $level,
                method = entry.method.as_str(),
                path = entry.path,
                status = entry.status.as_u16(),
                role = entry.trace.and_then(|trace| trace.role.as_deref()),
                request_id = entry.request_id.as_str(),
                client = client.map(tracing::field::display),
                bytes = entry.bytes,
                duration_us = micros(entry.took),
                auth_us = stage(entry, Stage::Auth),
                parse_us = stage(entry, Stage::Parse),
                plan_us = stage(entry, Stage::Plan),
                db_us = stage(entry, Stage::Database),
                reply_us = stage(entry, Stage::Reply),
            )
        };
    }
    match level(entry.status) {
        Level::ERROR => emit!(Level::ERROR),
        Level::WARN => emit!(Level::WARN),
        _ => emit!(Level::INFO),
    }
}

fn stage(entry: &Entry<'_>, stage: Stage) -> Option<u64> {
    entry.trace.map(|trace| micros(trace.stages.get(stage)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
