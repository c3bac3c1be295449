//! The file format: `key = value` lines, groups in braces, imports, comments, and `$(name)` inside strings.
//!
//! It is the format of the Haskell library configurator-pg.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::PgrstError;
use super::values::Value;
use crate::environment::Environment;

/// How deep files may import each other.
const IMPORT_DEPTH: usize = 16;

/// Reads a file and everything it imports.
pub(crate) fn read_file(
    path: &Path,
    environment: &Environment,
) -> Result<BTreeMap<String, Value>, PgrstError> {
    let mut values = BTreeMap::new();
    read_into(path, "", environment, &mut values, 0)?;
    Ok(values)
}

fn read_into(
    path: &Path,
    prefix: &str,
    environment: &Environment,
    values: &mut BTreeMap<String, Value>,
    depth: usize,
) -> Result<(), PgrstError> {
    if depth > IMPORT_DEPTH {
        return Err(PgrstError::ImportDepth(path.to_owned()));
    }
    let text = fs::read_to_string(path).map_err(|source| PgrstError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut reader = Reader {
        path,
        text: &text,
        at: 0,
    };
    let mut groups = vec![prefix.to_owned()];
    loop {
        reader.skip_lines();
        let prefix = groups.last().cloned().unwrap_or_default();
        match reader.directive(groups.len() > 1)? {
            None => return Ok(()),
            Some(Directive::Import(name)) => {
                let target = path.parent().unwrap_or(Path::new("")).join(name);
                read_into(&target, &prefix, environment, values, depth + 1)?;
            }
            Some(Directive::Open(name)) => {
                groups.push(format!("{prefix}{name}."));
                continue;
            }
            Some(Directive::Close) => {
                groups.pop();
            }
            Some(Directive::Bind(name, Value::Text(text))) => {
                let scope = Scope {
                    path,
                    prefix: &prefix,
                    values,
                    environment,
                };
                let text = scope.interpolate(&text)?;
                values.insert(format!("{prefix}{name}"), Value::Text(text));
            }
            Some(Directive::Bind(name, value)) => {
                values.insert(format!("{prefix}{name}"), value);
            }
            Some(Directive::Disabled) => {}
        }
        reader.end_of_line(groups.len() > 1)?;
    }
}

enum Directive {
    Bind(String, Value),
    Open(String),
    Close,
    Import(PathBuf),
    /// Switched off with `#;`.
    Disabled,
}

/// What `$(name)` may refer to.
struct Scope<'a> {
    path: &'a Path,
    prefix: &'a str,
    values: &'a BTreeMap<String, Value>,
    environment: &'a Environment,
}

impl Scope<'_> {
    fn interpolate(&self, text: &str) -> Result<String, PgrstError> {
        let fault = || PgrstError::Variable {
            path: self.path.to_owned(),
            name: text.to_owned(),
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let (name, after) = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'))
                .ok_or_else(fault)?;
            out.push_str(&self.look_up(name)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// An earlier key of the same or an outer group, or else an environment variable.
    fn look_up(&self, name: &str) -> Result<String, PgrstError> {
        let mut prefix = self.prefix;
        loop {
            match self.values.get(&format!("{prefix}{name}")) {
                Some(Value::Text(text)) => return Ok(text.clone()),
                Some(Value::Number(number)) => return Ok(number.clone()),
                Some(_) => break,
                None if prefix.is_empty() => {
                    if let Some(text) = self.environment.get(name) {
                        return Ok(text.to_owned());
                    }
                    break;
                }
                None => {
                    let outer = prefix.trim_end_matches('.');
                    prefix = &prefix[..outer.rfind('.').map_or(0, |dot| dot + 1)];
                }
            }
        }
        Err(PgrstError::Variable {
            path: self.path.to_owned(),
            name: name.to_owned(),
        })
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> PgrstError {
        let line = self.text[..self.at].matches('\n').count() + 1;
        PgrstError::Syntax {
            path: self.path.to_owned(),
            line,
            expected,
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Skips blank space, line ends and comments; `#;` is no comment but switches the next directive off.
    fn skip_lines(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with('#') || self.rest().starts_with("#;") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn end_of_line(&mut self, in_group: bool) -> Result<(), PgrstError> {
        self.take_while(|c| c == ' ' || c == '\t' || c == '\r');
        if self.rest().starts_with('#') {
            self.take_while(|c| c != '\n');
        }
        let rest = self.rest();
        let ends = rest.is_empty() || rest.starts_with('\n') || (in_group && rest.starts_with('}'));
        if ends {
            Ok(())
        } else {
            Err(self.expected("the end of the line"))
        }
    }

    fn directive(&mut self, in_group: bool) -> Result<Option<Directive>, PgrstError> {
        if self.rest().is_empty() {
            return if in_group {
                Err(self.expected("}"))
            } else {
                Ok(None)
            };
        }
        if in_group && self.take("}") {
            return Ok(Some(Directive::Close));
        }
        if self.take("#;") {
            self.take_while(|c| c == ' ' || c == '\t');
            return match self.directive(false)? {
                Some(Directive::Open(_)) => self.skip_group(),
                _ => Ok(Some(Directive::Disabled)),
            };
        }
        let name = self.identifier()?;
        self.skip_lines();
        if name == "import" {
            return Ok(Some(Directive::Import(self.string()?.into())));
        }
        if self.take("{") {
            return Ok(Some(Directive::Open(name)));
        }
        if !self.take("=") {
            return Err(self.expected("= or {"));
        }
        self.skip_lines();
        Ok(Some(Directive::Bind(name, self.value()?)))
    }

    fn skip_group(&mut self) -> Result<Option<Directive>, PgrstError> {
        let mut open = 1;
        while open > 0 {
            self.skip_lines();
            match self.directive(true)? {
                Some(Directive::Open(_)) => open += 1,
                Some(Directive::Close) => open -= 1,
                _ => {}
            }
        }
        Ok(Some(Directive::Disabled))
    }

    /// Words separated by dots, each of which begins with a letter.
    fn identifier(&mut self) -> Result<String, PgrstError> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let start = self.at;
        let name = self.take_while(is_part);
        if name
            .split('.')
            .all(|word| word.starts_with(char::is_alphabetic))
        {
            return Ok(name.to_owned());
        }
        self.at = start;
        Err(self.expected("a key"))
    }

    fn value(&mut self) -> Result<Value, PgrstError> {
        if self.rest().starts_with('"') {
            return Ok(Value::Text(self.string()?));
        }
        for (word, truth) in [
            ("on", true),
            ("off", false),
            ("true", true),
            ("false", false),
        ] {
            if self.take(word) {
                return Ok(Value::Truth(truth));
            }
        }
        if self.take("[") {
            return self.list();
        }
        let number = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
        if number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok() {
            return Ok(Value::Number(number.to_owned()));
        }
        Err(self.expected("a value: a number, a string in quotes, true or false"))
    }

    fn list(&mut self) -> Result<Value, PgrstError> {
        self.skip_lines();
        while !self.take("]") {
            self.value()?;
            self.skip_lines();
            if !self.take(",") && !self.rest().starts_with(']') {
                return Err(self.expected(", or ]"));
            }
            self.skip_lines();
        }
        Ok(Value::List)
    }

    fn string(&mut self) -> Result<String, PgrstError> {
        if !self.take("\"") {
            return Err(self.expected("a string in quotes"));
        }
        let mut out = String::new();
        loop {
            out.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.take("\"") {
                return Ok(out);
            }
            if !self.take("\\") {
                return Err(self.expected("a closing quote"));
            }
            let escape = self.rest().chars().next();
            self.at += escape.map_or(0, char::len_utf8);
            out.push(match escape {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c @ ('"' | '\\')) => c,
                Some('u') => self.unicode()?,
                _ => return Err(self.expected("an escape: \\n \\t \\r \\u \\\" or \\\\")),
            });
        }
    }

    /// The four digits after `\u`; a surrogate needs its other half.
    fn unicode(&mut self) -> Result<char, PgrstError> {
        let first = self.hexadecimal()?;
        let units = if (0xd800..0xdc00).contains(&first) && self.take("\\u") {
            vec![first, self.hexadecimal()?]
        } else {
            vec![first]
        };
        let decoded = char::decode_utf16(units).next().and_then(Result::ok);
        decoded.ok_or_else(|| self.expected("a UTF-16 character"))
    }

    fn hexadecimal(&mut self) -> Result<u16, PgrstError> {
        let digits = self
            .rest()
            .get(..4)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = digits.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BTreeMap<String, Value>, PgrstError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.conf");
        fs::write(&path, text).unwrap();
        fs::write(dir.path().join("other.conf"), "there = \"$(HOME)\"\n").unwrap();
        read_file(&path, &Environment::from([("HOME", "/home/me")]))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn keys_have_strings_numbers_and_truths() {
        let values = parse(
            "# comment\ndb-uri = \"postgres://a:b@c/d\" # why\ndb-pool=10\n\n  db-config = off\nx = [1, \"two\"]",
        );
        let expected = [
            ("db-uri", text("postgres://a:b@c/d")),
            ("db-pool", Value::Number("10".to_owned())),
            ("db-config", Value::Truth(false)),
            ("x", Value::List),
        ];
        assert_eq!(
            values.unwrap(),
            expected.map(|(key, value)| (key.to_owned(), value)).into()
        );
    }

    #[test]
    fn strings_have_escapes_and_variables() {
        let values = parse(
            "a = \"1\"\napp { settings {\n  b = \"$(a) $$ $(HOME) \\\"\\u00e9\\ud83d\\ude00\\n\"\n}\n}\n",
        );
        assert_eq!(
            values.unwrap()["app.settings.b"],
            text("1 $ /home/me \"\u{e9}\u{1f600}\n")
        );
    }

    #[test]
    fn files_import_files_and_skip_what_is_switched_off() {
        let values = parse("#; here = 1\ngroup {\n import \"other.conf\"\n}\n#; off { a = 1 }\n");
        assert_eq!(
            values.unwrap(),
            [("group.there".to_owned(), text("/home/me"))].into()
        );
    }

    #[test]
    fn faults_name_their_line() {
        for (fault, line) in [
            ("yaml:\n  is: bad", 1),
            ("a = 1\nb = 'x'", 2),
            ("a = 1 b = 2", 1),
            ("a {\nb = 1\n", 3),
        ] {
            let found = parse(fault);
            assert!(
                matches!(found, Err(PgrstError::Syntax { line: at, .. }) if at == line),
                "{fault}: {found:?}"
            );
        }
        assert!(matches!(
            parse("a = \"$(none)\""),
            Err(PgrstError::Variable { .. })
        ));
        assert!(matches!(
            parse("import \"main.conf\""),
            Err(PgrstError::ImportDepth(_))
        ));
    }
}
