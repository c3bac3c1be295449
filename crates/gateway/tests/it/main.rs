//! The real binary: what it prints, serves, refuses and leaves behind.

mod dev;
mod program;
mod rest;
mod serve;
