//! A private PostgreSQL and Redis below a directory: start, reuse, stop.
