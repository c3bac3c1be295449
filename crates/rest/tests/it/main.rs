//! The REST surface over a real PostgreSQL.

mod api;
mod errors;
mod reads;
mod transactions;
