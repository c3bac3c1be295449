//! The REST surface over a real PostgreSQL.

mod api;
mod bodies;
mod errors;
mod failures;
mod framing;
mod reads;
mod transactions;
