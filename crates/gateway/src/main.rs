//! The binary: command line, configuration, wiring, lifecycle, health, metrics.

fn main() {}
