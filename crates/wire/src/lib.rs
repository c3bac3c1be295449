//! The one-flight PostgreSQL connection and its pool.
//!
//! Prelude, statement and end of transaction go to the server in one pipelined write, answered in
//! one read; nothing is returned before `ReadyForQuery` but the rows of a [`RowStream`]. This crate
//! knows the protocol, prepared statements and sockets; it knows nothing of requests, roles' meaning
//! or what rows hold.

mod cancel;
mod client;
mod connection;
mod endpoint;
mod error;
mod flight;
mod inbound;
mod line;
mod outbound;
mod pool;
mod prepared;
mod replication;
mod result;
mod rows;
mod startup;
mod stream;
mod tls;
mod transaction;

pub use client::{ClientConnection, ClientError};
pub use connection::{Connection, ConnectionSettings};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Origin, ServerError, WireError};
pub use flight::{Begin, End, Flight, Isolation, Scope, Transaction};
pub use pool::{Pool, PoolError, PoolSettings, PoolStatus, PooledConnection};
pub use replication::{Replication, ReplicationMessage, ReplicationStream};
pub use result::{Column, ResultSet, Row};
pub use rows::{RowStream, StreamedFlight};
pub use stream::Stream;
pub use transaction::OpenTransaction;
