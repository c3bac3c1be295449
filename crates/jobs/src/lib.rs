//! Work that follows a change of rows, or the clock: recorded in the transaction of the change, done later, at least once.
//!
//! PostgreSQL is the only truth: a job is a row of `passerelle.jobs` until it is done. Workers take rows with `skip locked` in
//! a transaction that lasts as long as the work; one that dies gives its row back by that alone. A job that is a
//! function of the database runs in this very transaction, so its effect and its end are one.

mod backoff;
mod desk;
mod install;
mod schedule;
mod spec;
mod worker;

pub use desk::{Letter, Queue, drop_dead, letters, queues, retry};
pub use install::{InstallError, install};
pub use schedule::{BadSchedule, Schedule};
pub use spec::{Cause, Change, Handled, Handler, JobSpec, JobSpecs, Work};
pub use worker::{JobCounts, Workers};
