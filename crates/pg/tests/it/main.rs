//! Introspection, the keeper, migrations and the prelude against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "tests say what is wrong by failing")]

mod config;
mod describe;
mod encryption;
mod feed;
mod introspection;
mod keeper;
mod migrations;
mod prelude;
mod relationships;
mod support;
