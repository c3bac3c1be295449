//! The REST surface over a real PostgreSQL.

mod api;
mod batch;
mod bodies;
mod conflicts;
mod costs;
mod errors;
mod exports;
mod failures;
mod framing;
mod limits;
mod odd_updates;
mod query;
mod reads;
mod transactions;
mod updates;
