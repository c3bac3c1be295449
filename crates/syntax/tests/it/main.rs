//! The grammar of requests, by feature.

mod errors;
mod request;
