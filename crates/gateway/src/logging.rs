//! Where log entries go: standard error, as text or as JSON lines.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogLevel, LogSettings};
use crate::pgrst;

/// Installs the subscriber; the first caller wins.
pub(crate) fn start(settings: LogSettings) {
    let level = LevelFilter::from(settings.level);
    // Libraries tell of their inner life on the level that is ours for requests.
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("passerelle", level);
    let subscriber = tracing_subscriber::registry().with(targets);
    let output = fmt::layer().with_writer(std::io::stderr);
    // It fails only where a subscriber is installed already, as in tests.
    let _ = match settings.format {
        LogFormat::Text => {
            let output = output.with_ansi(std::io::stderr().is_terminal());
            subscriber.with(output).try_init()
        }
        LogFormat::Json => {
            let output = output.json().flatten_event(true).with_ansi(false);
            subscriber.with(output).try_init()
        }
    };
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<pgrst::LogLevel> for LogSettings {
    /// PostgREST logs failures from `error`, refusals from `warn`, all requests from `info`; `crit` logs no request.
    fn from(level: pgrst::LogLevel) -> Self {
        let level = match level {
            pgrst::LogLevel::Crit => LogLevel::Off,
            pgrst::LogLevel::Error => LogLevel::Error,
            pgrst::LogLevel::Warn => LogLevel::Warn,
            pgrst::LogLevel::Info => LogLevel::Info,
            pgrst::LogLevel::Debug => LogLevel::Debug,
        };
        Self {
            format: LogFormat::Text,
            level,
        }
    }
}
