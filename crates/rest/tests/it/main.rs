//! The REST surface over a real PostgreSQL.

mod api;
mod errors;
mod framing;
mod limits;
mod reads;
mod transactions;
