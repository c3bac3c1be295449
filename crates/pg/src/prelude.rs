//! The statements that decide, at the start of every transaction, who is asking and how.
//!
//! Owns which settings are set and in which order; it never decides their values. The text
//! depends only on which optional settings there are, so it is prepared once per connection.

use bytes::Bytes;
use passerelle_catalog::QualifiedName;
use passerelle_statement::{Param, Statement};

#[cfg(test)]
mod tests;

/// Name and value of a setting.
pub type Setting = (Box<str>, Box<str>);

/// Everything that a transaction must know before its statement runs. Its hash tells apart whatever
/// its statements do.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Prelude<'a> {
    /// Schemas, quoted and separated by commas: see [`search_path`].
    pub search_path: &'a str,
    /// Settings of the role. They are set before the role is taken, so that a `GRANT SET ON
    /// PARAMETER` to the connecting role is enough.
    pub role_settings: &'a [Setting],
    /// The role that the transaction takes.
    pub role: &'a str,
    /// Claims as a JSON object, `role` included.
    pub claims: &'a str,
    /// Method of the request.
    pub method: &'a str,
    /// Path of the request, without the surface's prefix.
    pub path: &'a str,
    /// Headers as a JSON object of strings, names in lower case: see [`json_object`].
    pub headers: &'a str,
    /// Cookies as a JSON object of strings.
    pub cookies: &'a str,
    /// Time zone that the caller prefers.
    pub timezone: Option<&'a str>,
    /// Settings of a called function that apply to the whole transaction.
    pub function_settings: &'a [Setting],
    /// Settings of the gateway for SQL, with their whole names (`app.settings.…`).
    pub app_settings: &'a [Setting],
    /// Refuses writes.
    pub read_only: bool,
    /// Function without parameters that may inspect and refuse the request.
    pub pre_request: Option<&'a QualifiedName>,
    /// What requests before this one have left, if the transaction is not its own.
    pub leavings: Option<&'a Leavings>,
}

/// What the requests of one transaction leave to the next of them: names of settings that not every
/// request makes. Their values go back to those of the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leavings(Vec<Box<str>>);

impl Leavings {
    /// Takes note of what a request sets.
    pub fn note(&mut self, timezone: Option<&str>, function_settings: &[Setting]) {
        let names = timezone.map(|_| "timezone").into_iter();
        for name in names.chain(function_settings.iter().map(|(name, _)| &**name)) {
            if !self.0.iter().any(|noted| **noted == *name) {
                self.0.push(name.into());
            }
        }
    }
}

impl Prelude<'_> {
    /// One statement that makes all settings, and one that calls the pre-request function if
    /// there is one.
    pub fn statements(&self) -> Vec<Statement> {
        let mut statements = Vec::with_capacity(2);
        statements.push(self.settings());
        if let Some(function) = self.pre_request {
            statements.push(Statement::plain(call(function)));
        }
        statements
    }

    fn settings(&self) -> Statement {
        let mut calls = SetConfig::with_capacity(self.values_len(), self.count());
        if let Some(leavings) = self.leavings {
            // Back to the role that may make the settings of roles.
            calls.constant("role", "none");
            for name in ["response.headers", "response.status", "pgrst.inserted"] {
                calls.constant(name, "");
            }
            leavings.0.iter().for_each(|name| calls.undo(name));
        }
        calls.named("search_path", self.search_path);
        if self.read_only {
            calls.constant("transaction_read_only", "on");
        }
        calls.settings(self.role_settings);
        calls.named("role", self.role);
        calls.named("request.jwt.claims", self.claims);
        calls.named("request.method", self.method);
        calls.named("request.path", self.path);
        calls.named("request.headers", self.headers);
        calls.named("request.cookies", self.cookies);
        if let Some(timezone) = self.timezone {
            calls.named("timezone", timezone);
        }
        calls.settings(self.function_settings);
        calls.settings(self.app_settings);
        calls.finish()
    }

    fn lists(&self) -> impl Iterator<Item = &Setting> {
        self.role_settings
            .iter()
            .chain(self.function_settings)
            .chain(self.app_settings)
    }

    /// Parameters at most.
    fn count(&self) -> usize {
        let left = self.leavings.map_or(0, |leavings| leavings.0.len());
        8 + 2 * (left + self.lists().count())
    }

    /// Bytes of all values.
    fn values_len(&self) -> usize {
        [
            self.search_path,
            self.role,
            self.claims,
            self.method,
            self.path,
            self.headers,
        ]
        .into_iter()
        .chain([self.cookies, self.timezone.unwrap_or_default()])
        .map(str::len)
        .sum::<usize>()
            + self
                .lists()
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
    }
}

/// Collects calls of `set_config`; all values share one buffer.
struct SetConfig {
    text: String,
    values: Vec<u8>,
    ends: Vec<usize>,
}

impl SetConfig {
    fn with_capacity(values: usize, count: usize) -> Self {
        let mut text = String::with_capacity(48 * count);
        text.push_str("select ");
        Self {
            text,
            values: Vec::with_capacity(values),
            ends: Vec::with_capacity(count),
        }
    }

    fn named(&mut self, name: &str, value: &str) {
        self.open();
        self.text.push('\'');
        self.text.push_str(name);
        self.text.push_str("',");
        self.param(value);
        self.text.push_str(",true)");
    }

    fn constant(&mut self, name: &str, value: &str) {
        self.open();
        for part in ["'", name, "','", value, "',true)"] {
            self.text.push_str(part);
        }
    }

    fn undo(&mut self, name: &str) {
        self.open();
        self.param(name);
        self.text.push_str(
            ",coalesce((select reset_val from pg_catalog.pg_settings \
             where pg_catalog.lower(name)=pg_catalog.lower(",
        );
        self.param(name);
        self.text.push_str(")),''),true)");
    }

    fn settings(&mut self, settings: &[Setting]) {
        for (name, value) in settings {
            self.open();
            self.param(name);
            self.text.push(',');
            self.param(value);
            self.text.push_str(",true)");
        }
    }

    fn open(&mut self) {
        if self.text.ends_with(')') {
            self.text.push(',');
        }
        self.text.push_str("set_config(");
    }

    fn param(&mut self, value: &str) {
        // PostgreSQL's text has no NUL; PostgREST, too, ends a value there.
        let value = value.split('\0').next().unwrap_or_default();
        self.values.extend_from_slice(value.as_bytes());
        self.ends.push(self.values.len());
        self.text.push('$');
        push_number(&mut self.text, self.ends.len());
    }

    fn finish(self) -> Statement {
        let values = Bytes::from(self.values);
        let mut start = 0;
        let params: Vec<Param> = self
            .ends
            .into_iter()
            .map(|end| {
                let value = values.slice(start..end);
                start = end;
                Some(value)
            })
            .collect();
        Statement {
            text: self.text,
            params,
        }
    }
}

/// SQL that calls a function without arguments; one without schema is found by the search path.
pub(crate) fn call(function: &QualifiedName) -> String {
    let mut text = String::from("select ");
    if !function.schema.is_empty() {
        push_identifier(&mut text, &function.schema);
        text.push('.');
    }
    push_identifier(&mut text, &function.name);
    text.push_str("()");
    text
}

fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b"0123456789"[number % 10]));
}

fn push_identifier(text: &mut String, name: &str) {
    text.push('"');
    for c in name.chars().take_while(|&c| c != '\0') {
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    text.push('"');
}

/// A search path of these schemas, quoted.
pub fn search_path<'a>(schemas: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for schema in schemas {
        if !path.is_empty() {
            path.push_str(", ");
        }
        push_identifier(&mut path, schema);
    }
    path
}

/// A JSON object of strings. Of several values for one name, the last counts.
pub fn json_object<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    let mut json = String::with_capacity(
        2 + pairs
            .iter()
            .map(|(k, v)| k.len() + v.len() + 6)
            .sum::<usize>(),
    );
    json.push('{');
    for (index, (name, value)) in pairs.iter().enumerate() {
        if pairs[index + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        if json.len() > 1 {
            json.push(',');
        }
        push_json(&mut json, name);
        json.push(':');
        push_json(&mut json, value);
    }
    json.push('}');
    json
}

fn push_json(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                json.push_str("\\u00");
                let code = u32::from(c);
                json.extend(
                    [code >> 4, code & 15]
                        .into_iter()
                        .filter_map(|d| char::from_digit(d, 16)),
                );
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}
