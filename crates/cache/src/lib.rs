//! Replies that are kept: how long they are right, who shares them, and where they lie.
//!
//! A kept reply says up to which position of the WAL it is known to be right ([`Kept::as_of`]).
//! [`Freshness`] knows, from the change feed, at which position each table changed last. A reply is
//! handed out while none of the tables that it depends on has changed since, and only while the feed
//! is known to be complete: nothing is ever deleted to be invalidated, so nothing that was lost or
//! came back can make an old reply reachable again.
//!
//! Nothing here speaks to PostgreSQL or HTTP.

mod codec;
mod dependencies;
mod freshness;
mod grace;
mod key;
mod pending;
mod shelf;
mod single_flight;
mod touched;

pub use dependencies::{Dependencies, TableClock};
pub use freshness::{Freshness, FreshnessStatus, LEASE, Moment};
pub use grace::Grace;
pub use key::{KeyBuilder, ReplyKey};
pub use shelf::{Kept, Shelf};
pub use single_flight::{Found, Leader, SingleFlight, Turn};
pub use touched::Touched;
