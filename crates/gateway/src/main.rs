//! The binary: command line, configuration, wiring, lifecycle, health, metrics.
//!
//! It decides nothing about requests; it reads what it is told, builds the parts, and ends them in order.

mod catalog_dump;
mod cli;
mod clock;
mod commands;
mod config;
mod deployment;
mod environment;
mod logging;
mod pgrst;
mod platform;
mod server;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;

/// Most of what a request needs is small and short-lived.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = cli::Cli::parse().command;
    match commands::run(command, &environment::Environment::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("passerelle: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes as one sentence.
fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some libraries repeat their cause in their own message, and PostgreSQL's driver says first that it is one.
        let gist = more.lines().next().unwrap_or_default();
        let gist = gist.trim_start_matches("db error: ");
        let gist = gist.trim_start_matches("ERROR: ");
        if !text.contains(gist) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
