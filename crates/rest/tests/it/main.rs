//! The REST surface over a real PostgreSQL.

mod api;
mod errors;
mod exports;
mod framing;
mod reads;
mod transactions;
