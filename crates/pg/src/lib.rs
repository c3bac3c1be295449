//! PostgreSQL: introspection, notifications, migrations, the prelude and SQLSTATE.
//!
//! Requests of callers travel through the `wire` crate; this one owns everything else that is
//! said to the server, on connections of its own, and what its errors mean to a client.

mod db_error;
mod introspect;
mod prelude;

pub use db_error::{ErrorReply, RaiseError, SqlError, error_reply};
pub use introspect::{IntrospectError, IntrospectionSettings, introspect};
pub use prelude::{Prelude, json_object, search_path};
