//! Media types as they come in headers (RFC 9110), read as leniently as `PostgREST` does.

use super::{MediaType, PlanOption};
use std::cmp::Ordering;

impl MediaType {
    /// Reads one media type, as in `Content-Type`. Anything can be read: what is not known is
    /// [`MediaType::Other`].
    pub fn read(text: &str) -> Self {
        match text {
            "application/json" => Self::Json,
            "*/*" => Self::Any,
            _ => read_tokens(text),
        }
    }

    /// Reads `Accept`: by falling quality, then by specificity, then as listed. Never empty; an
    /// empty header accepts anything.
    pub fn read_accept(header: &str) -> Vec<Self> {
        if header.is_empty() {
            return vec![Self::Any];
        }
        if !header.contains([',', ';', ' ']) {
            return vec![Self::read(header)];
        }
        let mut ranked: Vec<(String, f64, i64)> = header.split(',').map(rank).collect();
        ranked.sort_by(|(_, q1, s1), (_, q2, s2)| {
            q2.partial_cmp(q1)
                .unwrap_or(Ordering::Equal)
                .then(s2.cmp(s1))
        });
        ranked
            .into_iter()
            .map(|(text, ..)| Self::read(&text))
            .collect()
    }
}

/// One member of `Accept` without blanks and quality; its quality; its specificity, which grows
/// with parameters and falls with wildcards.
fn rank(member: &str) -> (String, f64, i64) {
    let mut text: String = member.chars().filter(|found| *found != ' ').collect();
    let mut quality = 1.0;
    if let Some(at) = text.find(";q=") {
        let value = &text[at + 3..];
        quality = leading_number(value.split(';').next().unwrap_or_default()).unwrap_or(1.0);
        text.truncate(at);
    }
    let specificity = text
        .bytes()
        .map(|byte| match byte {
            b';' => 1,
            b'*' => -1,
            _ => 0,
        })
        .sum();
    (text, quality, specificity)
}

/// The number that the text begins with.
fn leading_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let sign = text.len() - unsigned.len();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    if whole == 0 {
        return None;
    }
    let mut length = whole;
    if let Some(fraction) = unsigned[whole..].strip_prefix('.') {
        let places = digits(fraction);
        if places > 0 {
            length += 1 + places;
        }
    }
    text[..sign + length]
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// A media type in its parts.
struct Tokens<'t> {
    main: &'t str,
    sub: &'t str,
    parameters: Vec<(&'t str, &'t str)>,
}

impl<'t> Tokens<'t> {
    /// What follows the last intelligible parameter is ignored.
    fn read(text: &'t str) -> Option<Self> {
        let word = |found: char| found.is_alphanumeric() || matches!(found, '.' | '*');
        let (main, rest) = prefix(text, word)?;
        let rest = rest.strip_prefix('/')?;
        let (sub, mut rest) = prefix(rest, |found| word(found) || matches!(found, '+' | '-'))?;
        let mut parameters = Vec::new();
        while let Some((name, value, tail)) = parameter(rest) {
            parameters.push((name, value));
            rest = tail;
        }
        Some(Self {
            main,
            sub,
            parameters,
        })
    }

    /// The last parameter of this name.
    fn parameter(&self, name: &str) -> Option<&'t str> {
        self.parameters
            .iter()
            .rev()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// The characters that fit at the beginning, at least one, and what follows.
fn prefix(text: &str, fits: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let length = text.find(|found| !fits(found)).unwrap_or(text.len());
    (length > 0).then(|| text.split_at(length))
}

fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.trim_start().strip_prefix(';')?.trim_start();
    let (name, rest) = prefix(rest, |found| found.is_alphanumeric() || found == '-')?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    if let Some((value, rest)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        return Some((name, value, rest));
    }
    let (value, rest) = prefix(rest, |found| {
        found.is_alphanumeric() || matches!(found, '|' | '-')
    })?;
    Some((name, value, rest))
}

fn read_tokens(text: &str) -> MediaType {
    let Some(tokens) = Tokens::read(text) else {
        return MediaType::Other(text.to_owned());
    };
    let main = tokens.main.to_ascii_lowercase();
    let sub = tokens.sub.to_ascii_lowercase();
    let stripped = || tokens.parameter("nulls") == Some("stripped");
    match (main.as_str(), sub.as_str()) {
        ("application", "json") => MediaType::Json,
        ("application", "geo+json") => MediaType::GeoJson,
        ("text", "csv") => MediaType::Csv,
        ("text", "plain") => MediaType::Plain,
        ("text", "xml") => MediaType::Xml,
        ("application", "openapi+json") => MediaType::OpenApi,
        ("application", "x-www-form-urlencoded") => MediaType::UrlEncoded,
        ("application", "octet-stream") => MediaType::OctetStream,
        ("application", "vnd.pgrst.plan" | "vnd.pgrst.plan+text") => plan(&tokens, false),
        ("application", "vnd.pgrst.plan+json") => plan(&tokens, true),
        ("application", "vnd.pgrst.object" | "vnd.pgrst.object+json") => MediaType::SingularJson {
            nulls_stripped: stripped(),
        },
        ("application", "vnd.pgrst.array" | "vnd.pgrst.array+json") => {
            if stripped() {
                MediaType::ArrayJsonStrip
            } else {
                MediaType::Json
            }
        }
        ("*", "*") => MediaType::Any,
        _ => MediaType::Other(text.to_owned()),
    }
}

/// A plan of a plan's subject is possible, but only as deep as quotes nest, which they do not.
fn plan(tokens: &Tokens<'_>, json: bool) -> MediaType {
    let subject = tokens
        .parameter("for")
        .map_or(MediaType::Json, MediaType::read);
    let asked = tokens.parameter("options").unwrap_or_default();
    let options = PlanOption::ALL
        .into_iter()
        .filter(|option| asked.split('|').any(|word| word == option.as_str()))
        .collect();
    MediaType::Plan {
        subject: Box::new(subject),
        json,
        options,
    }
}
