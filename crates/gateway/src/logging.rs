//! Where log entries go: standard error, as text or as JSON lines. The level can change while the
//! program runs.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::config::{LogFormat, LogLevel};
use crate::pgrst;

/// What is logged; it can be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Logging(reload::Handle<Targets, Registry>);

/// Installs the subscriber; the first caller wins.
pub(crate) fn start(format: LogFormat, level: impl Into<Targets>) -> Logging {
    let (targets, handle) = reload::Layer::new(level.into());
    let subscriber = tracing_subscriber::registry().with(targets);
    let output = fmt::layer().with_writer(std::io::stderr);
    // It fails only where a subscriber is installed already, as in tests.
    let _ = match format {
        LogFormat::Text => {
            let output = output.with_ansi(std::io::stderr().is_terminal());
            subscriber.with(output).try_init()
        }
        LogFormat::Json => {
            let output = output.json().flatten_event(true).with_ansi(false);
            subscriber.with(output).try_init()
        }
    };
    Logging(handle)
}

impl Logging {
    /// Logs this from now on.
    pub(crate) fn set(&self, level: impl Into<Targets>) {
        // It fails only when the subscriber is gone.
        let _ = self.0.reload(level);
    }
}

/// Libraries tell of their inner life on the level that is ours for requests.
fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("passerelle", level)
}

impl From<LogLevel> for Targets {
    fn from(level: LogLevel) -> Self {
        targets(match level {
            LogLevel::Off => LevelFilter::OFF,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        })
    }
}

impl From<pgrst::LogLevel> for Targets {
    /// What the server says of itself is logged on every level; of requests, failures are from
    /// `error`, refusals from `warn` and all from `info`.
    fn from(level: pgrst::LogLevel) -> Self {
        let requests = match level {
            pgrst::LogLevel::Crit => LevelFilter::OFF,
            pgrst::LogLevel::Error => LevelFilter::ERROR,
            pgrst::LogLevel::Warn => LevelFilter::WARN,
            pgrst::LogLevel::Info => LevelFilter::INFO,
            pgrst::LogLevel::Debug => LevelFilter::DEBUG,
        };
        targets(requests.max(LevelFilter::INFO))
            .with_target("passerelle::access", requests)
            .with_target("passerelle_rest", requests)
    }
}
