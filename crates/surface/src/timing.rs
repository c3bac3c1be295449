//! How long the stages of a request took.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// A stage of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Verifying the caller.
    Auth,
    /// Understanding the request.
    Parse,
    /// Planning and rendering.
    Plan,
    /// PostgreSQL's part, with the wait for a connection.
    Database,
    /// Building the reply.
    Reply,
}

/// Durations of the stages that have ended; zero for those that have not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages([Duration; 5]);

impl Stages {
    /// How long a stage took.
    pub fn get(&self, stage: Stage) -> Duration {
        self.0[stage as usize]
    }

    /// The value of `Server-Timing` under `PostgREST`'s names, in milliseconds.
    pub fn server_timing(&self) -> String {
        let mut out = String::with_capacity(96);
        let names = ["jwt", "parse", "plan", "transaction", "response"];
        for (index, (name, duration)) in names.iter().zip(self.0).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(
                out,
                "{separator}{name};dur={:.1}",
                duration.as_secs_f64() * 1000.0
            );
        }
        out
    }
}

/// Measures one stage after the other, or nothing at all where nobody wants to know.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    since: Option<Instant>,
    stages: Stages,
}

impl Stopwatch {
    /// Starts; a stopwatch that is not enabled never asks for the time.
    pub fn start(enabled: bool) -> Self {
        Self {
            since: enabled.then(Instant::now),
            stages: Stages::default(),
        }
    }

    /// Ends `stage`, and begins the next.
    pub fn lap(&mut self, stage: Stage) {
        if let Some(since) = self.since {
            let now = Instant::now();
            self.stages.0[stage as usize] += now - since;
            self.since = Some(now);
        }
    }

    /// What was measured so far.
    pub fn stages(&self) -> Stages {
        self.stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_timing_has_the_names_of_the_contract() {
        let stages = Stages([100, 50, 1000, 12_340, 0].map(Duration::from_micros));
        assert_eq!(
            stages.server_timing(),
            "jwt;dur=0.1, parse;dur=0.1, plan;dur=1.0, transaction;dur=12.3, response;dur=0.0"
        );
    }

    #[test]
    fn a_stopwatch_that_is_off_measures_nothing() {
        let mut stopwatch = Stopwatch::start(false);
        stopwatch.lap(Stage::Parse);
        assert_eq!(stopwatch.stages(), Stages::default());
    }

    #[test]
    fn laps_add_up() {
        let mut stopwatch = Stopwatch::start(true);
        stopwatch.lap(Stage::Database);
        let once = stopwatch.stages().get(Stage::Database);
        stopwatch.lap(Stage::Database);
        assert!(stopwatch.stages().get(Stage::Database) >= once);
    }
}
