//! Where log entries go: standard error, as text or as JSON lines.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;

use crate::config::{LogFormat, LogLevel, LogSettings};
use crate::pgrst;

/// Installs the subscriber; the first caller wins.
pub(crate) fn start(settings: LogSettings) {
    let level = LevelFilter::from(settings.level);
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // It fails only where a subscriber is installed already, as in tests.
    let _ = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .try_init(),
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
