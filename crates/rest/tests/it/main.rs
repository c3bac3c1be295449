//! The REST surface over a real PostgreSQL.

mod api;
mod errors;
mod framing;
mod query;
mod reads;
mod transactions;
