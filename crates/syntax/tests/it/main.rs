//! The grammar of requests, by feature.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod errors;
mod limits;
mod logic;
mod media;
mod operators;
mod order;
mod preferences;
mod print;
mod properties;
mod query;
mod query_body;
mod range;
mod request;
mod select;
mod strategy;
mod target;
