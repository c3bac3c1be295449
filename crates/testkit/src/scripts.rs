//! The repository's SQL files, as the templates need them.

use std::fs;
use std::path::{Path, PathBuf};

/// SQL to be run in order in one database.
#[derive(Debug, Default)]
pub(crate) struct Scripts(Vec<Script>);

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Scripts {
    /// `sql/platform`: numbered migrations.
    pub(crate) fn platform() -> Self {
        let dir = repository().join("sql/platform");
        let entries =
            fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        let mut paths: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .collect();
        paths.sort();
        Self(paths.into_iter().map(read).collect())
    }

    /// The platform and an application below `sql/`.
    pub(crate) fn application(name: &str) -> Self {
        let dir = repository().join("sql").join(name);
        let mut scripts = Self::platform();
        scripts
            .0
            .extend(["init.sql", "policies.sql", "seed.sql"].map(|file| read(dir.join(file))));
        scripts
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Script> {
        self.0.iter()
    }

    /// FNV-1a over all text: another content is another template.
    pub(crate) fn fingerprint(&self) -> u64 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0
            .iter()
            .flat_map(|script| script.text.bytes())
            .fold(0xcbf2_9ce4_8422_2325, step)
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_owned)
        .unwrap_or_default()
}

fn read(path: PathBuf) -> Script {
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Script { path, text }
}
