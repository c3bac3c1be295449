//! Where log entries go: standard error, as text or as JSON lines. The level can change while the
//! program runs.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;

use passerelle_surface::{AccessLevel, AccessLog, LogForm, LogSink, Urgency, set_access_level};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::clock;
use crate::config::{LogFormat, LogLevel};
use crate::pgrst;

/// What is logged, which can be replaced; what waits is written when this ends.
#[derive(Clone, Debug)]
pub(crate) struct Logging {
    targets: reload::Handle<Targets, Registry>,
    sink: LogSink,
}

/// What is logged: of the server, and of requests.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    targets: Targets,
    access: AccessLevel,
}

/// Installs the subscriber and the access log; the first caller wins.
pub(crate) fn start(format: LogFormat, levels: impl Into<Levels>) -> io::Result<Logging> {
    let levels = levels.into();
    // Its own descriptor: standard error is locked by whoever waits for its reader.
    let out = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let sink = LogSink::start(out, |entries| {
        tracing::warn!(entries, "entries are missing: the log is read too slowly");
    })?;
    let (filter, targets) = reload::Layer::new(levels.targets);
    let subscriber = tracing_subscriber::registry().with(filter);
    let writer = sink.clone();
    let output = fmt::layer().with_writer(move || Writer(writer.clone()));
    let colours = io::stderr().is_terminal();
    // It fails only where a subscriber is installed already, as in tests.
    let (_, form) = match format {
        LogFormat::Text => (
            subscriber.with(output.with_ansi(colours)).try_init(),
            if colours {
                LogForm::Coloured
            } else {
                LogForm::Text
            },
        ),
        LogFormat::Json => {
            let output = output.json().flatten_event(true).with_ansi(false);
            (subscriber.with(output).try_init(), LogForm::Json)
        }
    };
    AccessLog::new(sink.clone(), form, clock::system).install();
    set_access_level(levels.access);
    Ok(Logging { targets, sink })
}

impl Logging {
    /// Logs this from now on.
    pub(crate) fn set(&self, levels: impl Into<Levels>) {
        let levels = levels.into();
        // It fails only when the subscriber is gone.
        let _ = self.targets.reload(levels.targets);
        set_access_level(levels.access);
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.sink.flush();
    }
}

/// Entries of the subscriber, each of them whole: they are few, and somebody may be waiting for them.
struct Writer(LogSink);

impl Write for Writer {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.0.append(entry, Urgency::Immediate);
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Libraries tell of their inner life on the level that is ours for requests.
fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("passerelle", level)
}

impl From<LogLevel> for Levels {
    fn from(level: LogLevel) -> Self {
        let (level, access) = match level {
            LogLevel::Off => (LevelFilter::OFF, AccessLevel::Off),
            LogLevel::Error => (LevelFilter::ERROR, AccessLevel::Failures),
            LogLevel::Warn => (LevelFilter::WARN, AccessLevel::Refusals),
            LogLevel::Info => (LevelFilter::INFO, AccessLevel::All),
            LogLevel::Debug => (LevelFilter::DEBUG, AccessLevel::All),
            LogLevel::Trace => (LevelFilter::TRACE, AccessLevel::All),
        };
        Self {
            targets: targets(level),
            access,
        }
    }
}

impl From<pgrst::LogLevel> for Levels {
    /// What the server says of itself is logged on every level; of requests, failures are from
    /// `error`, refusals from `warn` and all from `info`.
    fn from(level: pgrst::LogLevel) -> Self {
        let (requests, access) = match level {
            pgrst::LogLevel::Crit => (LevelFilter::OFF, AccessLevel::Off),
            pgrst::LogLevel::Error => (LevelFilter::ERROR, AccessLevel::Failures),
            pgrst::LogLevel::Warn => (LevelFilter::WARN, AccessLevel::Refusals),
            pgrst::LogLevel::Info => (LevelFilter::INFO, AccessLevel::All),
            pgrst::LogLevel::Debug => (LevelFilter::DEBUG, AccessLevel::All),
        };
        Self {
            targets: targets(requests.max(LevelFilter::INFO))
                .with_target("passerelle_rest", requests),
            access,
        }
    }
}
