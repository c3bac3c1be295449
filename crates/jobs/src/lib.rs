//! Work that follows a change of rows, or the clock: recorded in the transaction of the change, done later, at least once.
//!
//! PostgreSQL alone knows what is to be done: a job is a row of `passerelle.jobs` until it is done. Gateways claim rows for a short
//! time and hand them to whichever worker is free, through Redis Streams where there is a Redis; what gets lost on the
//! way is claimed again. A job that is a function of the database runs in the transaction that ends it, so its effect and its
//! end are one; while a webhook is sent, no transaction is open.

mod backoff;
mod counts;
mod desk;
mod dispatcher;
mod install;
mod moments;
mod schedule;
mod session;
mod spec;
mod ticket;
mod tray;
mod worker;
mod workers;

pub use counts::JobCounts;
pub use desk::{Letter, Queue, drop_dead, letters, queues, retry};
pub use install::{InstallError, install};
pub use schedule::{BadSchedule, Schedule};
pub use spec::{Cause, Change, Handled, Handler, JobSpec, JobSpecs, Work};
pub use workers::Workers;
