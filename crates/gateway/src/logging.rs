//! Where log entries go: standard error, as text or as JSON lines. The level can change while the
//! program runs.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use passerelle_surface::{AccessLevel, AccessLog, LogForm, LogSink, Urgency, set_access_level};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::clock;
use crate::config::{LogFormat, LogLevel};
use crate::pgrst;

/// The log of the program; what waits is written when this ends. There is one, since waiting for a
/// reader that stands still takes its time.
#[derive(Debug)]
pub(crate) struct Logging {
    switch: LevelSwitch,
    sink: LogSink,
}

/// What is logged, which can be replaced.
#[derive(Clone, Debug)]
pub(crate) struct LevelSwitch(reload::Handle<Targets, Registry>);

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
    let out = Output(File::from(io::stderr().as_fd().try_clone_to_owned()?));
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
    let switch = LevelSwitch(targets);
    Ok(Logging { switch, sink })
}

impl Logging {
    /// Changes what is logged; outlives the log without keeping it.
    pub(crate) fn switch(&self) -> LevelSwitch {
        self.switch.clone()
    }
}

impl LevelSwitch {
    /// Logs this from now on.
    pub(crate) fn set(&self, levels: impl Into<Levels>) {
        let levels = levels.into();
        // It fails only when the subscriber is gone.
        let _ = self.0.reload(levels.targets);
        set_access_level(levels.access);
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.sink.flush();
    }
}

/// Standard error, which may have been made non-blocking by whoever shares it.
struct Output(File);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(full) if full.kind() == io::ErrorKind::WouldBlock => {
                    let mut room = [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)];
                    // Only the thread of the log waits here; the end of the program does not wait
                    // for it for ever.
                    match poll(&mut room, PollTimeout::NONE) {
                        Ok(_) | Err(Errno::EINTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::Output;

    #[test]
    fn a_reader_that_is_slow_on_a_descriptor_that_does_not_block_gets_every_line() {
        let (writes, reads) = UnixStream::pair().unwrap();
        writes.set_nonblocking(true).unwrap();
        let mut out = Output(File::from(OwnedFd::from(writes)));
        let lines = 20_000;
        let writing = std::thread::spawn(move || {
            for line in 0..lines {
                out.write_all(format!("{line:0>100}\n").as_bytes()).unwrap();
            }
        });
        let read = BufReader::with_capacity(100, reads).lines();
        let numbers: Vec<u32> = read.map(|line| line.unwrap().parse().unwrap()).collect();
        writing.join().unwrap();
        assert!(numbers.into_iter().eq(0..lines));
    }
}
