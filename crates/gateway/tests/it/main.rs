//! The real binary: what it prints, serves, refuses and leaves behind.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod dev;
mod environment_file;
mod lifecycle;
mod limits;
mod migration;
mod program;
mod rest;
mod serve;
