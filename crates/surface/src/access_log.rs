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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The entries that a subscriber of this level writes for these statuses.
    fn entries(most: Level, statuses: &[StatusCode]) -> Vec<Value> {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(most)
            .with_writer(move || writer.clone())
            .finish();
        let trace = Trace {
            service: Service::Rest,
            shape: Shape::Read,
            role: Some(Arc::from("anon")),
            stages: Stages::default(),
            request_id: None,
        };
        tracing::subscriber::with_default(subscriber, || {
            for status in statuses {
                if !is_enabled(*status) {
                    continue;
                }
                let entry = Entry {
                    method: &Method::GET,
                    path: "/rest/v1/items",
                    status: *status,
                    request_id: &RequestId::generate(),
                    trace: Some(&trace),
                    took: Duration::from_micros(1500),
                    bytes: Some(12),
                };
                write(&entry, Some(IpAddr::from([192, 0, 2, 1])));
            }
        });
        let written = sink.0.lock().unwrap();
        written
            .split(|byte| *byte == b'\n')
            .filter_map(|l| serde_json::from_slice(l).ok())
            .collect()
    }

    #[test]
    fn an_entry_says_what_was_asked_and_how_long_it_took() {
        let entries = entries(Level::INFO, &[StatusCode::OK]);
        let entry = &entries[0];
        for (name, value) in [
            ("level", Value::from("INFO")),
            ("target", Value::from("passerelle::access")),
            ("method", Value::from("GET")),
            ("path", Value::from("/rest/v1/items")),
            ("status", Value::from(200)),
            ("role", Value::from("anon")),
            ("client", Value::from("192.0.2.1")),
            ("bytes", Value::from(12)),
            ("duration_us", Value::from(1500)),
            ("db_us", Value::from(0)),
        ] {
            assert_eq!(entry[name], value, "{name}: {entry}");
        }
        assert_eq!(entry["request_id"].as_str().map(str::len), Some(16));
    }

    #[test]
    fn levels_follow_the_status() {
        let statuses = [
            StatusCode::OK,
            StatusCode::NOT_FOUND,
            StatusCode::INTERNAL_SERVER_ERROR,
        ];
        let seen = |most| -> Vec<u64> {
            entries(most, &statuses)
                .iter()
                .filter_map(|entry| entry["status"].as_u64())
                .collect()
        };
        assert_eq!(seen(Level::INFO), [200, 404, 500]);
        assert_eq!(seen(Level::WARN), [404, 500]);
        assert_eq!(seen(Level::ERROR), [500]);
    }
}
