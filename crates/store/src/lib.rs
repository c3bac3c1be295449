//! What is hot and what expires: limits of rates, sessions in use, replies, messages between gateways, and work that is
//! handed from one to whoever is free.
//!
//! [`Store`] is Redis (or Valkey), alone or watched by Sentinel, or else this process's memory: the
//! same operations for one process alone. This crate is the only one that speaks to Redis. Redis
//! gone is never a failure of a request: a [`RateLimiter`] goes on by itself, and a
//! [`Subscription`] tells that it hears nothing.

mod backoff;
mod bus;
mod endpoint;
mod error;
mod link;
mod presence;
mod rate_limit;
mod replies;
mod sessions;
mod store;
mod stream;
mod tls;
mod url;

pub use bus::{Bus, BusEvent, MAX_MESSAGE_BYTES, Message, Subscription};
pub use error::{StoreError, UrlError};
pub use rate_limit::{Decision, LimitKey, Origin, PolicyError, RateLimiter, RatePolicy, Verdict};
pub use replies::SharedReplies;
pub use sessions::{SessionEntry, Sessions};
pub use store::{MemoryStore, RedisSettings, RedisStore, Store, StoreStatus};
pub use stream::{Stream, StreamEntry, StreamReader};
