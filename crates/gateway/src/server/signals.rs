//! Signals: SIGINT and SIGTERM stop, SIGUSR1 reads the schema again, SIGUSR2 the configuration.

use std::io;

use passerelle_pg::CatalogKeeper;
use passerelle_rest::{RestSettings, RestState};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Reads the configuration again; says itself what is wrong with it.
pub(crate) type Reload = Box<dyn Fn() -> Option<RestSettings>>;

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

    /// Does what signals and notifications ask for until one asks to stop.
    pub(super) async fn until_stop(
        mut self,
        keeper: &CatalogKeeper,
        state: &RestState,
        reload: Option<&Reload>,
    ) {
        let mut notified = keeper.config_reloads();
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.schema.recv() => keeper.reload(),
                _ = self.configuration.recv() => reconfigure(state, reload),
                Ok(()) = notified.changed() => reconfigure(state, reload),
            }
        }
    }
}

fn reconfigure(state: &RestState, reload: Option<&Reload>) {
    if let Some(settings) = reload.and_then(|reload| reload()) {
        state.reconfigure(settings);
        tracing::info!("configuration reloaded");
    }
}
