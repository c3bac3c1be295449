//! The REST surface over a real PostgreSQL.

mod api;
mod batch;
mod conflicts;
mod errors;
mod exports;
mod framing;
mod query;
mod reads;
mod transactions;
mod updates;
