//! Signals: SIGINT and SIGTERM stop, SIGUSR1 reads the schema again, SIGUSR2 the configuration.

use std::io;

use passerelle_pg::CatalogKeeper;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::reload::Reloader;

/// The signals of this process, which no longer do what they do by default.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    schema: Signal,
    configuration: Signal,
}

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            schema: signal(SignalKind::user_defined1())?,
            configuration: signal(SignalKind::user_defined2())?,
        })
    }

    /// Does what signals ask for until one asks to stop.
    pub(super) async fn until_stop(&mut self, keeper: &CatalogKeeper, reloader: Option<&Reloader>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.schema.recv() => keeper.reload(),
                _ = self.configuration.recv() => if let Some(reloader) = reloader {
                    reloader.ask();
                },
            }
        }
    }
}
