//! The connection and its pool against a real PostgreSQL.

mod connecting;
mod flights;
mod pooling;
mod statements;
mod support;
mod transactions;
