//! Private servers and template databases for tests; it knows no crate of ours but the one that starts servers.
//!
//! ```no_run
//! # async fn example() {
//! let db = passerelle_testkit::TestDb::hub_lib().await;
//! let client = db.client().await;
//! # }
//! ```
//!
//! All test processes of a run share one PostgreSQL (and one Redis) below the target directory. Each test has its own
//! database, copied from a template. The servers stop by themselves shortly after the last test process ended,
//! however it ended. A test without its servers cannot say anything, so everything here panics with one clear
//! sentence instead of returning errors.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this crate is part of tests"
)]

mod database;
mod keeper;
mod private_redis;
mod redis;
mod scripts;
mod sentinel;
mod server;
mod template;

pub use database::{TestClient, TestDb};
pub use private_redis::PrivateRedis;
pub use redis::TestRedis;
pub use sentinel::TestSentinel;
