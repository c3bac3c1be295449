//! Introspection, the keeper, migrations and the prelude against a real PostgreSQL.

mod introspection;
mod keeper;
mod migrations;
mod prelude;
mod relationships;
mod support;
