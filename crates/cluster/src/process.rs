//! Processes by their number: are they ours, are they alive, make them end.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::time::sleep;

use crate::error::ClusterError;

/// How often a condition is looked at again.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A server process: our child, or one that an earlier starter left.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    pid: i32,
    child: Option<Child>,
    /// Sent when this value goes while the process still runs, as when its start is abandoned.
    farewell: Option<Signal>,
}

impl ServerProcess {
    pub(crate) fn child(child: Child, farewell: Signal) -> Self {
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .unwrap_or_default();
        Self {
            pid,
            child: Some(child),
            farewell: Some(farewell),
        }
    }

    pub(crate) fn stray(pid: i32) -> Self {
        Self {
            pid,
            child: None,
            farewell: None,
        }
    }

    /// Lets the process run on without this value.
    pub(crate) fn release(mut self) {
        self.farewell = None;
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it still runs. A child that ended is reaped.
    pub(crate) fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => is_alive(self.pid),
        }
    }

    /// Sends the signals one after another, each with its time to take effect, until the process is gone.
    pub(crate) async fn end(&mut self, signals: &[(Signal, Duration)]) -> Result<(), ClusterError> {
        for (signal, patience) in signals {
            let deadline = Instant::now() + *patience;
            self.signal(*signal);
            while Instant::now() < deadline {
                if !self.is_alive() {
                    return Ok(());
                }
                sleep(TICK).await;
            }
        }
        Err(ClusterError::NotStopped { pid: self.pid })
    }

    /// The same for destructors, which cannot wait asynchronously.
    pub(crate) fn end_blocking(&mut self, signals: &[(Signal, Duration)]) {
        for (signal, patience) in signals {
            let deadline = Instant::now() + *patience;
            self.signal(*signal);
            while Instant::now() < deadline {
                if !self.is_alive() {
                    return;
                }
                std::thread::sleep(TICK);
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        // A reaped child's number may belong to another process by now.
        if self.pid > 0 && self.is_alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Some(signal) = self.farewell.take() {
            self.signal(signal);
        }
    }
}

/// Whether a process of this number works in the directory: both servers make their data directory their own.
pub(crate) fn works_in(pid: i32, dir: &Path) -> bool {
    pid > 1 && std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir)
}

fn is_alive(pid: i32) -> bool {
    // A zombie has ended, though its number is still taken.
    let zombie = std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    });
    !zombie && kill(Pid::from_raw(pid), None).is_ok()
}
