//! Messages to programs of others over HTTP, signed (Standard Webhooks 1.0).

mod call;
mod secret;

pub use call::{Answer, CallError, Caller, Message};
pub use secret::{BadSecret, Secret};
