//! The one-flight PostgreSQL connection and its pool.
