//! Values of keys and where they come from: the database before the environment before the file.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use passerelle_identity::Secret;

use super::PgrstError;
use crate::environment::Environment;

/// A value as a file gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// As it was written.
    Number(String),
    Truth(bool),
    /// No key has a list for its value.
    List,
}

/// All that is configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Settings of the database role, keyed with underscores and without `pgrst.`.
    pub(crate) database: BTreeMap<String, String>,
    /// The process's environment.
    pub(crate) environment: Environment,
    /// The file's keys.
    pub(crate) file: BTreeMap<String, Value>,
    /// What can be read once only.
    pub(crate) streams: Streams,
}

/// What streams such as `/dev/stdin` said, for whoever asks again; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Rc<RefCell<BTreeMap<PathBuf, Secret>>>);

impl Streams {
    /// The content of a file as it is now, or that of a stream.
    pub(super) fn read(&self, path: &Path) -> Result<String, PgrstError> {
        if let Some(known) = self.0.borrow().get(path) {
            return Ok(String::from_utf8_lossy(known.expose()).into_owned());
        }
        let content = fs::read_to_string(path).map_err(|source| PgrstError::Read {
            path: path.to_owned(),
            source,
        })?;
        if !fs::metadata(path).is_ok_and(|file| file.is_file()) {
            let mut known = self.0.borrow_mut();
            known.insert(path.to_owned(), Secret::from(content.clone()));
        }
        Ok(content)
    }
}

impl Sources {
    /// A text that is not empty, under the key or its alias.
    pub(crate) fn text(&self, key: &str, alias: Option<&str>) -> Option<String> {
        with_alias(key, alias, |key| {
            self.text_or_empty(key).filter(|text| !text.is_empty())
        })
    }

    /// A text that may be empty.
    pub(crate) fn text_or_empty(&self, key: &str) -> Option<String> {
        Some(match self.value(key)? {
            Value::Text(text) => text,
            other => shown(&other),
        })
    }

    /// A whole number; what is none counts as absent.
    pub(crate) fn integer(&self, key: &str, alias: Option<&str>) -> Option<i64> {
        with_alias(key, alias, |key| match self.value(key)? {
            Value::Text(text) => text.trim().parse().ok(),
            Value::Number(text) => whole(&text),
            _ => None,
        })
    }

    /// A truth in one of its many forms; what is none counts as absent.
    pub(crate) fn truth(&self, key: &str, alias: Option<&str>) -> Option<bool> {
        with_alias(key, alias, |key| match self.value(key)? {
            Value::Truth(truth) => Some(truth),
            Value::Text(text) => truth_of(&text),
            _ => None,
        })
    }

    /// `app.settings.*`, from the environment (`PGRST_APP_SETTINGS_*`) and the file.
    pub(crate) fn app_settings(&self) -> Vec<(String, String)> {
        let file = self
            .file
            .iter()
            .filter(|(key, _)| key.starts_with("app.settings."));
        let mut settings: BTreeMap<String, String> = file
            .map(|(key, value)| match value {
                Value::Text(text) => (key.clone(), text.clone()),
                other => (key.clone(), shown(other)),
            })
            .collect();
        let variables = self.environment.with_prefix("PGRST_APP_SETTINGS_");
        settings.extend(
            variables.map(|(name, value)| (format!("app.settings.{name}"), value.to_owned())),
        );
        settings.into_iter().collect()
    }

    fn value(&self, key: &str) -> Option<Value> {
        let name = key.replace('-', "_");
        if let Some(text) = self.database.get(&name) {
            return Some(Value::Text(text.clone()));
        }
        if let Some(text) = self
            .environment
            .get(&format!("PGRST_{}", name.to_uppercase()))
        {
            return Some(Value::Text(text.to_owned()));
        }
        self.file.get(key).cloned()
    }
}

fn with_alias<T>(key: &str, alias: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    read(key).or_else(|| alias.and_then(read))
}

/// One of a few words, or the default when absent.
pub(crate) fn choice<T: Clone>(
    sources: &Sources,
    key: &'static str,
    words: &[(&str, T)],
    default: T,
    fault: &str,
) -> Result<T, PgrstError> {
    let Some(text) = sources.text(key, None) else {
        return Ok(default);
    };
    let found = words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, meaning)| meaning.clone());
    found.ok_or_else(|| PgrstError::Value {
        key,
        fault: fault.to_owned(),
    })
}

/// The parts between commas, without the space around them.
pub(crate) fn split_on_commas(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).collect()
}

/// `True`, `true`, `"TRUE"`, or a number that is positive when it is true.
fn truth_of(text: &str) -> Option<bool> {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    match letters.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => text.trim().parse::<i64>().ok().map(|number| number > 0),
    }
}

fn whole(number: &str) -> Option<i64> {
    number.parse().ok().or_else(|| {
        // `1e3` is a whole number, too.
        let number: f64 = number.parse().ok()?;
        format!("{number:.0}")
            .parse()
            .ok()
            .filter(|_| number.fract() == 0.0)
    })
}

/// PostgREST shows a value of another kind as its parser's own notation.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) if number.contains(['.', 'e', 'E']) => format!("Number {number}"),
        Value::Number(number) => format!("Number {number}.0"),
        Value::Truth(true) => "Bool True".to_owned(),
        Value::Truth(false) => "Bool False".to_owned(),
        Value::List => "List".to_owned(),
    }
}
