//! The environment variables of this process, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A copy of the environment; variables that are not UTF-8 are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment this process was started with.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub(crate) fn of_process() -> Self {
        let text = |text: OsString| text.into_string().ok();
        let pairs = std::env::vars_os();
        Self(
            pairs
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect(),
        )
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The variables whose names begin with `prefix`, without it.
    pub(crate) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        )
    }
}
