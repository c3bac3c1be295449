//! What all HTTP surfaces share: request id, CORS, limits of size and rate, error body,
//! metrics and access log.
//!
//! [`Frontage`] is the one middleware of a server; a handler tells it what it did by leaving a
//! [`Trace`] in its response. This crate never reads a body, and knows no surface by itself.

mod access_log;
pub mod body;
mod client_address;
mod cors;
mod ended_sessions;
mod error;
mod fence;
mod frontage;
pub mod json;
mod limits;
mod log_sink;
mod metrics;
mod rate_limits;
mod raw_target;
mod request_id;
mod session_trail;
mod timing;

pub use access_log::{AccessLevel, AccessLog, LogForm, Trace, logs_access, set_access_level};
pub use client_address::{AddressError, ForwardedHeader, Network, TrustedProxies};
pub use cors::{Cors, CorsDialect};
pub use ended_sessions::{EndedSessions, EndedSessionsKeeper, SessionRefusal};
pub use error::{Details, ErrorBody, Verbosity, allows_body};
pub use fence::{Closing, Fence, FencePassed, Noted, Writes};
pub use frontage::{Frontage, FrontageSettings};
pub use limits::HttpLimits;
pub use log_sink::{LogSink, Urgency};
pub use metrics::{Metrics, Service, Shape};
pub use rate_limits::{Quota, RateCaller, RateGate, RateLimitSettings, RateLimits, RouteClass};
pub use raw_target::RawTargets;
pub use request_id::{RequestId, X_REQUEST_ID};
pub use timing::{Stage, Stages, Stopwatch};
