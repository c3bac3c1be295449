//! Where log entries wait to be written.
//!
//! Whoever logs appends to memory; one thread writes, many entries at a time. So a reader of
//! standard error that is slow, or stands still, never holds up a request. What gives then is the
//! newest entries: beyond a bound they are dropped. So are entries that cannot be written. Their
//! number is logged as soon as entries are written again.

use std::cell::Cell;
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most bytes that wait.
const BOUND: usize = 4 << 20;
/// So many bytes are written without waiting for more.
const BATCH: usize = 64 << 10;
/// How long an entry may wait for others.
const LINGER: Duration = Duration::from_millis(100);
/// How long the end of the program waits for a slow reader.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Room for the entry that says how many were dropped.
const RESERVE: usize = 16 << 10;
/// A pipe takes so many bytes at once or not at all, which keeps lines of other writers apart.
const PIPE_ATOMIC: usize = 4096;

thread_local! {
    /// Whether the entry that this thread logs says how many were dropped.
    static TELLS: Cell<bool> = const { Cell::new(false) };
}

/// When an entry should be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Soon, with others.
    Batched,
    /// At once.
    Immediate,
}

/// The entries of a process on their way out; clones share it.
#[derive(Clone, Debug)]
pub struct LogSink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do for the thread that writes.
    filled: Condvar,
    /// It has done it.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<u8>,
    immediate: bool,
    writing: bool,
    dropped: u64,
}

impl State {
    fn is_due(&self) -> bool {
        self.immediate || self.entries.len() >= BATCH
    }

    fn is_done(&self) -> bool {
        self.entries.is_empty() && !self.writing
    }
}

impl LogSink {
    /// Writes to `out` from now on, on a thread that lives as long as the process. `tell_dropped`
    /// logs how many entries were dropped, in one entry.
    pub fn start(
        out: impl Write + Send + 'static,
        tell_dropped: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
        });
        let kept = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || kept.write_for_ever(out, tell_dropped))?;
        Ok(Self(shared))
    }

    /// Appends whole lines.
    pub fn append(&self, lines: &[u8], urgency: Urgency) {
        let bound = if TELLS.get() { BOUND + RESERVE } else { BOUND };
        let mut state = self.0.lock();
        let before = state.entries.len();
        if before + lines.len() > bound {
            state.dropped += 1;
            return;
        }
        let was_due = state.is_due();
        state.entries.extend_from_slice(lines);
        state.immediate |= urgency == Urgency::Immediate;
        // One wake-up for the first entry of a batch, another when it need not wait any longer.
        let wakes = before == 0 || (state.is_due() && !was_due);
        drop(state);
        if wakes {
            self.0.filled.notify_one();
        }
    }

    /// Waits until everything is written, though not for ever.
    pub fn flush(&self) {
        let mut state = self.0.lock();
        state.immediate = true;
        self.0.filled.notify_one();
        let waiting = |state: &mut State| !state.is_done();
        let waited = self
            .0
            .written
            .wait_timeout_while(state, LAST_WORDS, waiting);
        drop(waited);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_for_ever(&self, mut out: impl Write, tell_dropped: impl Fn(u64)) {
        let mut batch = Vec::new();
        // What the next batch says was dropped.
        let mut told = 0;
        loop {
            self.next_batch(&mut batch);
            let lost = write_pieces(&mut out, &batch);
            batch.clear();
            batch.shrink_to(BATCH);
            // Nothing is told before something is written: it would be lost, too, and told of.
            if lost > 0 {
                self.lock().dropped += lost + mem::take(&mut told);
            } else {
                told = mem::take(&mut self.lock().dropped);
            }
            if told > 0 {
                TELLS.set(true);
                tell_dropped(told);
                TELLS.set(false);
            }
            self.lock().writing = false;
            self.written.notify_all();
        }
    }

    /// Waits for entries and takes them.
    fn next_batch(&self, batch: &mut Vec<u8>) {
        let waits = |state: &mut State| state.entries.is_empty();
        let filled = self.filled.wait_while(self.lock(), waits);
        let filled = filled.unwrap_or_else(PoisonError::into_inner);
        let lingers = |state: &mut State| !state.is_due();
        let due = self.filled.wait_timeout_while(filled, LINGER, lingers);
        let mut state = due.unwrap_or_else(PoisonError::into_inner).0;
        mem::swap(&mut state.entries, batch);
        state.immediate = false;
        state.writing = true;
    }
}

/// Writes entries, and says how many could not be written.
fn write_pieces(out: &mut impl Write, entries: &[u8]) -> u64 {
    let mut lost = 0;
    for lines in pieces(entries) {
        if out.write_all(lines).is_err() {
            lost += memchr::memchr_iter(b'\n', lines).count().max(1) as u64;
        }
    }
    lost
}

/// Whole lines that are written at once; a longer line is a piece of its own.
fn pieces(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if lines.is_empty() {
            return None;
        }
        let head = &lines[..lines.len().min(PIPE_ATOMIC)];
        let end = memchr::memrchr(b'\n', head).or_else(|| memchr::memchr(b'\n', lines));
        let (piece, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        lines = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Hands out what was written, and writes only as far as it is let.
    struct Reader {
        written: Sender<Vec<u8>>,
        lets: Receiver<()>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.lets.recv();
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A sink; what it writes; lets it write once; how many entries it says it dropped.
    fn sink() -> (LogSink, Receiver<Vec<u8>>, Sender<()>, Receiver<u64>) {
        let (written, reads) = channel();
        let (lets_go, lets) = channel();
        let (dropped, told) = channel();
        let sink = LogSink::start(Reader { written, lets }, move |count| {
            let _ = dropped.send(count);
        });
        (sink.unwrap(), reads, lets_go, told)
    }

    #[test]
    fn entries_are_written_together_and_in_order() {
        let (sink, reads, lets_go, _) = sink();
        for entry in ["one\n", "two\n"] {
            sink.append(entry.as_bytes(), Urgency::Batched);
        }
        sink.append(b"three\n", Urgency::Immediate);
        lets_go.send(()).unwrap();
        assert_eq!(reads.recv().unwrap(), b"one\ntwo\nthree\n");
    }

    #[test]
    fn an_entry_waits_for_others_but_not_for_ever() {
        let (sink, reads, lets_go, _) = sink();
        sink.append(b"alone\n", Urgency::Batched);
        lets_go.send(()).unwrap();
        assert_eq!(reads.recv().unwrap(), b"alone\n");
    }

    #[test]
    fn what_nobody_reads_is_dropped_and_counted() {
        let (sink, reads, lets_go, told) = sink();
        let line = [b'x'; 1023]
            .iter()
            .chain(b"\n")
            .copied()
            .collect::<Vec<_>>();
        let fits = BOUND / line.len();
        // The first is on its way when the reader stands still.
        sink.append(&line, Urgency::Immediate);
        while !sink.0.lock().writing {
            thread::yield_now();
        }
        for _ in 0..fits + 3 {
            sink.append(&line, Urgency::Batched);
        }
        assert_eq!(sink.0.lock().dropped, 3);
        drop(lets_go);
        assert_eq!(told.recv().unwrap(), 3);
        sink.flush();
        let written: usize = reads.try_iter().map(|piece| piece.len()).sum();
        assert_eq!(written, (fits + 1) * line.len());
    }

    #[test]
    fn the_number_of_what_is_missing_is_not_missing() {
        let (written, reads) = channel();
        let (lets_go, lets) = channel();
        let (handed, itself) = channel::<LogSink>();
        let sink = LogSink::start(Reader { written, lets }, move |count| {
            let sink: LogSink = itself.recv().unwrap();
            // Others fill what there is just before.
            let others = sink.clone();
            let fills = thread::spawn(move || {
                others.append(
                    &[vec![b'y'; BOUND - 1], vec![b'\n']].concat(),
                    Urgency::Batched,
                );
            });
            fills.join().unwrap();
            sink.append(format!("{count} missing\n").as_bytes(), Urgency::Immediate);
        })
        .unwrap();
        handed.send(sink.clone()).unwrap();
        sink.append(b"first\n", Urgency::Immediate);
        while !sink.0.lock().writing {
            thread::yield_now();
        }
        for _ in 0..7 {
            sink.append(&vec![b'x'; BOUND + 1], Urgency::Batched);
        }
        drop(lets_go);
        assert_eq!(reads.recv().unwrap(), b"first\n");
        assert_eq!(reads.recv().unwrap().len(), BOUND);
        assert_eq!(reads.recv().unwrap(), b"7 missing\n");
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_told_when_it_can_be() {
        /// Fails as long as it is told to, and hands out the rest.
        struct Failing(Receiver<bool>, Sender<Vec<u8>>);

        impl Write for Failing {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.0.recv().unwrap_or_default() {
                    return Err(io::Error::from(io::ErrorKind::StorageFull));
                }
                let _ = self.1.send(bytes.to_vec());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let (fails, failing) = channel();
        let (written, reads) = channel();
        let (dropped, told) = channel();
        let out = Failing(failing, written);
        let sink = LogSink::start(out, move |count| dropped.send(count).unwrap()).unwrap();
        for (lines, failed) in [("1\n2\n", true), ("3\n", true), ("4\n", false)] {
            fails.send(failed).unwrap();
            sink.append(lines.as_bytes(), Urgency::Immediate);
            sink.flush();
        }
        assert_eq!(reads.recv().unwrap(), b"4\n");
        assert_eq!(told.recv().unwrap(), 3);
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn pieces_end_with_lines_where_they_can() {
        let lines = [
            &[b'a'; 3000][..],
            b"\n",
            &[b'b'; 3000],
            b"\n",
            &[b'c'; 9000],
            b"\nd",
        ]
        .concat();
        let lengths: Vec<usize> = pieces(&lines).map(<[u8]>::len).collect();
        assert_eq!(lengths, [3001, 3001, 9001, 1]);
        assert_eq!(pieces(b"").count(), 0);
    }
}
