//! One entry per request: what was asked, by which role, and how long it took.
//!
//! An entry never holds a query string, a token or a body. Failures of the server are errors,
//! refusals warnings, the rest is information. An entry looks as those of other targets do, but is
//! written by hand: there is one for each request, and the general way takes longer than many
//! requests do.

mod entry;
mod line;

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use actix_web::http::StatusCode;

pub(crate) use self::entry::Entry;
pub use self::line::LogForm;
use self::line::{Severity, Stamp};
use crate::log_sink::{LogSink, Urgency};
use crate::metrics::{Service, Shape};
use crate::request_id::RequestId;
use crate::timing::Stages;

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

/// Which requests get an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// None.
    Off,
    /// Those that failed in the server.
    Failures,
    /// Those that were refused, too.
    Refusals,
    /// All.
    All,
}

/// Where and how entries are written.
#[derive(Debug)]
pub struct AccessLog {
    sink: LogSink,
    form: LogForm,
    clock: fn() -> SystemTime,
}

/// As there is one standard error, so there is one log.
static LOG: OnceLock<AccessLog> = OnceLock::new();
static LEVEL: AtomicU8 = AtomicU8::new(AccessLevel::Off as u8);

impl AccessLog {
    /// Entries of this form, with the time that `clock` tells, to `sink`.
    pub fn new(sink: LogSink, form: LogForm, clock: fn() -> SystemTime) -> Self {
        Self { sink, form, clock }
    }

    /// Makes this the log of the process; the first one stays.
    pub fn install(self) {
        let _ = LOG.set(self);
    }
}

/// Which requests get an entry from now on.
pub fn set_access_level(level: AccessLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether a request that goes well gets an entry; if not, nobody needs its times.
pub fn logs_access() -> bool {
    is_enabled(StatusCode::OK)
}

/// Whether an entry with this status would be written at all.
pub(crate) fn is_enabled(status: StatusCode) -> bool {
    let least = match Severity::of(status) {
        Severity::Error => AccessLevel::Failures,
        Severity::Warn => AccessLevel::Refusals,
        Severity::Info => AccessLevel::All,
    };
    LEVEL.load(Ordering::Relaxed) >= least as u8
}

/// Writes the entry.
pub(crate) fn write(entry: &Entry<'_>, client: Option<IpAddr>) {
    thread_local! {
        static BUFFER: RefCell<(String, Stamp)> = RefCell::default();
    }
    let Some(log) = LOG.get() else { return };
    BUFFER.with_borrow_mut(|(line, stamp)| {
        line.clear();
        entry.render(line, log.form, stamp.text((log.clock)()), client);
        log.sink.append(line.as_bytes(), Urgency::Batched);
    });
}
