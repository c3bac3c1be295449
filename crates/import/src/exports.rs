//! The files: opened, measured, read one after the other.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use crate::ImportError;
use crate::collect::{Collected, Collector, Failure};
use crate::progress::{Progress, Stage};
use crate::source::{Shape, read};
use crate::spool::Spool;

/// The most bytes of a file.
const LARGEST: u64 = 50 << 20;
/// How often it is told how far it is, in bytes.
const STEP: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Why a file cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}", path = .path.display())]
pub struct FileError {
    path: PathBuf,
    #[source]
    fault: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the file cannot be read ({0})")]
    Read(#[source] io::Error),
    #[error("the file has {megabytes} MB; at most 50 are taken", megabytes = .0 >> 20)]
    TooLarge(u64),
    #[error("the file is empty")]
    Empty,
    #[error("the file ends in the middle, in line {0}: it was not saved to its end")]
    Truncated(usize),
    #[error("the file is not JSON: see line {0}, column {1}")]
    NotJson(usize, usize),
    #[error("the file has another shape than an export: see line {0}, column {1}")]
    OtherShape(usize, usize),
    #[error("there is nothing of the application in the file")]
    Foreign,
    #[error(transparent)]
    Limit(Failure),
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) shape: Shape,
    pub(crate) bytes: u64,
}

/// What all files hold.
#[derive(Debug)]
pub struct Exports {
    pub(crate) sources: Vec<Source>,
    pub(crate) all: Collected,
    pub(crate) spool: Spool,
}

impl Exports {
    /// Reads files. Where one cannot be taken, none is, and all such files are told.
    pub fn read(paths: &[PathBuf], progress: &mut dyn Progress) -> Result<Self, ImportError> {
        let mut sources = Vec::new();
        let mut errors = Vec::new();
        let mut collector = Collector::new().map_err(ImportError::Spool)?;
        let sizes = paths
            .iter()
            .map(|path| std::fs::metadata(path).map_or(0, |file| file.len()));
        let mut meter = Meter {
            total: sizes.sum(),
            done: 0,
            told: 0,
            progress,
        };
        for (number, path) in paths.iter().enumerate() {
            let number = u16::try_from(number).map_err(|_| ImportError::TooManyFiles)?;
            collector.begin(number);
            match one(path, &mut collector, &mut meter) {
                Ok((shape, bytes)) => sources.push(Source {
                    path: path.clone(),
                    shape,
                    bytes,
                }),
                Err(Fault::Limit(Failure::Spool(error))) => return Err(ImportError::Spool(error)),
                Err(fault) => errors.push(FileError {
                    path: path.clone(),
                    fault,
                }),
            }
        }
        if !errors.is_empty() {
            return Err(ImportError::Files(errors));
        }
        let (all, spool) = collector.finish();
        Ok(Self {
            sources,
            all,
            spool,
        })
    }
}

fn one(
    path: &PathBuf,
    collector: &mut Collector,
    meter: &mut Meter<'_>,
) -> Result<(Shape, u64), Fault> {
    let file = File::open(path).map_err(Fault::Read)?;
    let bytes = file.metadata().map_err(Fault::Read)?.len();
    if bytes > LARGEST {
        return Err(Fault::TooLarge(bytes));
    }
    if bytes == 0 {
        return Err(Fault::Empty);
    }
    // A file that grows meanwhile, or is no plain file, is bounded, too.
    let mut source = BufReader::with_capacity(
        1 << 16,
        Metered {
            file: file.take(LARGEST + 1),
            meter,
        },
    );
    let mut mark = [0; 3];
    let begins = fill(&mut source, &mut mark).map_err(Fault::Read)?;
    let kept = if begins == BYTE_ORDER_MARK {
        &[]
    } else {
        begins
    };
    let shape = read(kept.chain(source), collector);
    if let Some(failure) = collector.failure() {
        return Err(Fault::Limit(failure));
    }
    match shape {
        Ok(Some(shape)) => Ok((shape, bytes)),
        Ok(None) => Err(Fault::Foreign),
        Err(error) => Err(fault_of(error)),
    }
}

/// The first bytes, as many as there are.
fn fill<'a>(source: &mut impl Read, bytes: &'a mut [u8; 3]) -> io::Result<&'a [u8]> {
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read(&mut bytes[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(&bytes[..filled])
}

fn fault_of(error: serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Io => Fault::Read(error.into()),
        serde_json::error::Category::Eof => Fault::Truncated(line),
        serde_json::error::Category::Syntax => Fault::NotJson(line, column),
        serde_json::error::Category::Data => Fault::OtherShape(line, column),
    }
}

/// Tells how much has been read.
struct Meter<'a> {
    total: u64,
    done: u64,
    told: u64,
    progress: &'a mut dyn Progress,
}

struct Metered<'m, 'p> {
    file: io::Take<File>,
    meter: &'m mut Meter<'p>,
}

impl Read for Metered<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        let meter = &mut *self.meter;
        meter.done += bytes as u64;
        if meter.done - meter.told >= STEP || meter.done == meter.total {
            meter.told = meter.done;
            meter.progress.at(Stage::Reading, meter.done, meter.total);
        }
        Ok(bytes)
    }
}
