//! A private PostgreSQL and Redis below a directory: start, reuse, stop.
//!
//! The servers listen on 127.0.0.1 and ask for a password that is generated on first start and kept in the directory.
//! What a crash of the starter leaves behind is found and stopped by the next start, and only if it belongs to the
//! directory. This crate never speaks SQL and never looks at what is inside the databases.

mod account;
mod binaries;
mod directory;
mod error;
mod port;
mod postgres;
mod postmaster;
mod process;
mod redis;
mod secret;

pub use binaries::{Major, PostgresBinaries};
pub use directory::{Directory, Occupation};
pub use error::ClusterError;
pub use port::free_port;
pub use postgres::{Durability, Postgres, PostgresEndpoint, PostgresSettings};
pub use redis::{Redis, RedisEndpoint, RedisSettings};
pub use secret::{kept_secret, kept_text, random_hex};
