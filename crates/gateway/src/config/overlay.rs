//! Environment variables over the file: `PASSERELLE_<SECTION>_<KEY>`, and the three names that every platform sets.

use toml::{Table, Value};

use super::{ConfigError, Settings};
use crate::environment::Environment;

const PREFIX: &str = "PASSERELLE_";

/// Names without prefix, and the key they set unless its own variable does.
const FAMILIAR: [(&str, &str, &str); 3] = [
    ("DATABASE_URL", "database", "url"),
    ("REDIS_URL", "redis", "url"),
    ("JWT_SECRET", "auth", "jwt_secret"),
];

/// The table with all variables in it.
pub(super) fn apply(mut table: Table, environment: &Environment) -> Result<Table, ConfigError> {
    // The defaults know all keys and their types.
    let reference = Table::try_from(Settings::default()).map_err(|_| ConfigError::Value {
        key: "defaults",
        expected: "expressible as TOML".to_owned(),
    })?;
    for (variable, section, key) in FAMILIAR {
        if let Some(text) = environment.get(variable) {
            set(&mut table, section, key, Value::String(text.to_owned()));
        }
    }
    for (name, text) in environment.with_prefix(PREFIX) {
        let variable = format!("{PREFIX}{name}");
        let lower = name.to_lowercase();
        let found = reference.iter().find_map(|(section, keys)| {
            let key = lower.strip_prefix(section.as_str())?.strip_prefix('_')?;
            let default = keys.as_table()?.get(key)?;
            Some((section.as_str(), key, default))
        });
        let Some((section, key, default)) = found else {
            return Err(ConfigError::UnknownVariable(variable));
        };
        let value = read(text, default).and_then(|value| fitting(section, key, value));
        let value = value.map_err(|fault| ConfigError::Variable { variable, fault })?;
        set(&mut table, section, key, value);
    }
    Ok(table)
}

fn set(table: &mut Table, section: &str, key: &str, value: Value) {
    let entry = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = entry {
        section.insert(key.to_owned(), value);
    }
}

/// The value, if its key can hold it.
fn fitting(section: &str, key: &str, value: Value) -> Result<Value, String> {
    let mut alone = Table::new();
    set(&mut alone, section, key, value.clone());
    let fits = alone.try_into::<Settings>();
    fits.map(|_| value)
        .map_err(|fault| fault.message().to_owned())
}

/// The text as a value of the default's type.
fn read(text: &str, default: &Value) -> Result<Value, String> {
    let text = text.trim();
    match default {
        Value::Integer(_) => text
            .parse()
            .map(Value::Integer)
            .map_err(|_| "expected a whole number".to_owned()),
        Value::Boolean(_) => text
            .parse()
            .map(Value::Boolean)
            .map_err(|_| "expected true or false".to_owned()),
        Value::Array(_) => {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            Ok(Value::Array(
                parts.map(|part| Value::String(part.to_owned())).collect(),
            ))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}
