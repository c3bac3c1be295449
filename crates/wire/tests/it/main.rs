//! The connection and its pool against a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what is wrong by failing"
)]

mod connecting;
mod flights;
mod pooling;
mod rows;
mod statements;
mod support;
mod tls;
mod transactions;
