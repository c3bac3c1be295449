//! PostgreSQL: introspection, notifications, migrations, the prelude and SQLSTATE.
//!
//! Requests of callers travel through the `wire` crate; this one owns everything else that is
//! said to the server, on connections of its own, and what its errors mean to a client.

mod backoff;
mod config;
mod control;
mod db_error;
mod describe;
mod digest;
mod error_chain;
mod feed;
mod introspect;
mod keeper;
mod listener;
mod logins;
mod migrate;
mod prelude;
mod reads;
mod row_feed;

pub use config::in_database_settings;
pub use control::{
    ControlClient, ControlEndpoint, ControlError, ControlRow, ControlStatement, ControlTransaction,
    ControlType, ToSql, told,
};
pub use db_error::{ErrorReply, RaiseError, SqlError, error_reply};
pub use describe::{accessible_routines, accessible_tables, schema_comment};
pub use digest::digest;
pub use error_chain::chain;
pub use feed::{Counters, Feed, FeedCommit, FeedSession, FeedSink, FeedState, Others, Position};
pub use introspect::{IntrospectError, IntrospectionSettings, introspect};
pub use keeper::{CatalogKeeper, KeeperSettings, KeeperStatus};
pub use listener::{Event, Listener};
pub use logins::{AdmitError, admit};
pub use migrate::{MigrateError, Migrated, Migration, migrate, migrate_alone, migrate_unseeded};
pub use prelude::{Leavings, Prelude, Setting, json_object, search_path};
pub use reads::{
    DeclaredReads, FollowError, ReadDeclarations, ReadSets, Reads, ToFollow, Unproven, follow,
};
pub use row_feed::{
    ROW_STYLE, RowChange, RowFeed, RowFeedState, RowRelation, RowSink, RowValue, RowWhat,
};
