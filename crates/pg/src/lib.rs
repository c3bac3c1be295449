//! PostgreSQL: introspection, notifications, migrations, the prelude and SQLSTATE.
