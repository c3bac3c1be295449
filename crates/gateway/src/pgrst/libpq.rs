//! Connection strings as libpq completes them: what they leave out comes from its `PG*` variables
//! (PostgreSQL's manual, "Environment Variables" and "Connection Strings").
//!
//! It reads no more of a string than which parameters it has; whether they are right is for
//! whoever connects.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use percent_encoding::percent_decode_str;

use crate::environment::Environment;

const VARIABLES: [(&str, &str); 14] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

/// Name and value of a parameter.
type Parameter = (String, String);

/// The connection string with what it leaves out. `user` is the name that libpq falls back to.
/// A string that cannot be read stays as it is.
pub(crate) fn completed(text: &str, environment: &Environment, user: Option<&str>) -> String {
    let Some(mut parameters) = parameters(text) else {
        return text.to_owned();
    };
    let given = parameters.len();
    let defaults = VARIABLES
        .iter()
        .filter_map(|(variable, key)| Some((*key, environment.get(variable)?)))
        .filter(|(_, value)| !value.is_empty())
        .chain(user.map(|user| ("user", user)));
    for (key, value) in defaults {
        if !parameters.iter().any(|(name, _)| name == key) {
            parameters.push((key.to_owned(), value.to_owned()));
        }
    }
    if parameters.len() == given {
        return text.to_owned();
    }
    let pairs = parameters
        .iter()
        .map(|(key, value)| format!("{key}={}", quoted(value)));
    pairs.collect::<Vec<_>>().join(" ")
}

fn parameters(text: &str) -> Option<Vec<Parameter>> {
    let uri = text
        .strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"));
    match uri {
        Some(rest) => of_uri(rest),
        None => of_pairs(text),
    }
}

/// `[user[:password]@][host[:port][,…]][/database][?name=value&…]`
fn of_uri(rest: &str) -> Option<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let mut add = |key: &str, value: &str| -> Option<()> {
        if !value.is_empty() {
            let value = percent_decode_str(value).decode_utf8().ok()?;
            parameters.push((key.to_owned(), value.into_owned()));
        }
        Some(())
    };
    let (credentials, rest) = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => (&rest[..at], &rest[at + 1..]),
        _ => ("", rest),
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    add("user", user)?;
    add("password", password)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (places, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (hosts, ports): (Vec<&str>, Vec<&str>) = places.split(',').map(host_and_port).unzip();
    if hosts.iter().any(|host| !host.is_empty()) {
        add("host", &hosts.join(","))?;
    }
    if ports.iter().any(|port| !port.is_empty()) {
        add("port", &ports.join(","))?;
    }
    add("dbname", database)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        add(&percent_decode_str(key).decode_utf8().ok()?, value)?;
    }
    Some(parameters)
}

/// IPv6 addresses stand in brackets.
fn host_and_port(place: &str) -> (&str, &str) {
    if let Some((address, after)) = place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (address, after.strip_prefix(':').unwrap_or_default());
    }
    place.split_once(':').unwrap_or((place, ""))
}

/// `name = value` or `name = 'quoted value'`, with white space between.
fn of_pairs(text: &str) -> Option<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            return Some(parameters);
        }
        let mut key = String::new();
        while let Some(letter) = rest.next_if(|letter| !letter.is_whitespace() && *letter != '=') {
            key.push(letter);
        }
        skip_space(&mut rest);
        rest.next_if_eq(&'=')?;
        skip_space(&mut rest);
        parameters.push((key, value(&mut rest)?));
    }
}

fn value(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut value = String::new();
    let quoted = rest.next_if_eq(&'\'').is_some();
    loop {
        match rest.next() {
            Some('\'') if quoted => return Some(value),
            Some('\\') => value.push(rest.next()?),
            Some(letter) if quoted || !letter.is_whitespace() => value.push(letter),
            None if quoted => return None,
            _ => return Some(value),
        }
    }
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|letter| letter.is_whitespace()).is_some() {}
}

fn quoted(value: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        return value.into();
    }
    let value = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{value}'").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete<const N: usize>(text: &str, variables: [(&str, &str); N]) -> String {
        completed(text, &Environment::from(variables), Some("me"))
    }

    #[test]
    fn what_is_left_out_comes_from_variables() {
        assert_eq!(complete("postgresql://", []), "user=me");
        let variables = [
            ("PGHOST", "db.example.com"),
            ("PGPORT", "5433"),
            ("PGUSER", "authenticator"),
            ("PGPASSWORD", "it's \\ secret"),
            ("PGDATABASE", ""),
            ("PGSSLMODE", "verify-full"),
        ];
        let all = "host=db.example.com port=5433 user=authenticator \
                   password='it\\'s \\\\ secret' sslmode=verify-full";
        assert_eq!(complete("postgresql://", variables), all);
        assert_eq!(complete("", variables), all);
        assert_eq!(
            complete("postgres://a:b%40c@h/d?sslmode=disable", variables),
            "user=a password='b@c' host=h dbname=d sslmode=disable port=5433"
        );
        assert_eq!(
            complete("host = h  port=1 password='it\\'s \\\\ secret'", variables),
            "host=h port=1 password='it\\'s \\\\ secret' user=authenticator sslmode=verify-full"
        );
    }

    #[test]
    fn uris_have_several_hosts_and_sockets() {
        for (uri, expected) in [
            (
                "postgresql://h1:1,h2/d",
                "host=h1,h2 port=1, dbname=d user=me",
            ),
            ("postgresql://[::1]:5/", "host=::1 port=5 user=me"),
            ("postgresql://%2Ftmp/d", "host=/tmp dbname=d user=me"),
            ("postgresql://u@%2Ftmp/d", "postgresql://u@%2Ftmp/d"),
            (
                "postgresql:///d?options=-c%20a%3Db",
                "dbname=d options='-c a=b' user=me",
            ),
        ] {
            assert_eq!(complete(uri, []), expected, "{uri}");
        }
    }

    #[test]
    fn what_cannot_be_read_stays_as_it_is() {
        for text in ["postgresql://h?x", "host='h", "host", "host h"] {
            assert_eq!(complete(text, [("PGUSER", "u")]), text);
        }
    }
}
