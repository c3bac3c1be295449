//! The body of a QUERY request (RFC 10008): parameters as they would stand in a query string.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::decode::push_encoded;
use crate::media::MediaType;
use crate::parse::parse_parameters;
use crate::request::ApiRequest;
use crate::{Exposure, Head, Limits, ParseError};

/// Longest query string that is told as the `Content-Location` of a QUERY, in bytes: more than that
/// is rarely taken as a header.
const LONGEST_LOCATION: usize = 4096;

/// Why the body of a QUERY cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryBodyError {
    /// Nothing says what it is.
    #[error("Content-Type is missing")]
    NoContentType,
    /// It is neither a form nor JSON.
    #[error("Content-Type not acceptable: {0}")]
    ContentType(String),
    /// It is not text.
    #[error("Invalid query: not UTF-8")]
    NotText,
    /// It says more as a query string than a body may: a list repeats the name of its parameter.
    #[error("the query is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// It is no JSON object of parameters.
    #[error("Invalid query: not a JSON object of parameters")]
    NotParameters,
}

/// How much longer than the body may be the query string that is made of it: each byte may have to
/// be escaped.
const ESCAPE: usize = 3;

/// Reads a QUERY request: as [`parse`](fn@crate::parse) reads a GET whose query string goes on in
/// the body. The body's own length is bounded by whoever receives it.
///
/// # Errors
/// As for [`parse`](fn@crate::parse), and [`ParseError::QueryBody`].
pub fn parse_query(
    head: &Head<'_>,
    body: &[u8],
    exposure: &Exposure,
    limits: &Limits,
) -> Result<ApiRequest, ParseError> {
    let of_body = parameters(head, body, limits.query_body_bytes)?;
    let query = match (head.query, &*of_body) {
        ("", only) | (only, "") => Cow::Borrowed(only),
        (first, second) => Cow::Owned([first, "&", second].concat()),
    };
    let mut request = parse_parameters(head, &query, exposure, limits)?;
    request
        .canonical_query
        .take_if(|query| query.len() > LONGEST_LOCATION);
    Ok(request)
}

/// The body as a query string.
fn parameters<'b>(
    head: &Head<'_>,
    body: &'b [u8],
    limit: usize,
) -> Result<Cow<'b, str>, QueryBodyError> {
    let content_type = head
        .header("content-type")
        .ok_or(QueryBodyError::NoContentType)?;
    let text = std::str::from_utf8(body).map_err(|_| QueryBodyError::NotText);
    match MediaType::read(content_type) {
        MediaType::UrlEncoded => {
            let text = text?;
            Ok(Cow::Borrowed(text.strip_prefix('?').unwrap_or(text)))
        }
        MediaType::Json => encoded(text?, limit).map(Cow::Owned),
        other => Err(QueryBodyError::ContentType(other.mime().into_owned())),
    }
}

/// A query string made of an object: each member is a parameter, a list repeats it.
fn encoded(json: &str, limit: usize) -> Result<String, QueryBodyError> {
    let mut encoder = Encoder {
        query: String::new(),
        longest: limit.saturating_mul(ESCAPE),
        exceeded: false,
    };
    let mut source = serde_json::Deserializer::from_str(json);
    let read = source.deserialize_map(&mut encoder);
    match read.and_then(|()| source.end()) {
        _ if encoder.exceeded => Err(QueryBodyError::TooLong { limit }),
        Ok(()) => Ok(encoder.query),
        Err(_) => Err(QueryBodyError::NotParameters),
    }
}

/// Appends parameters to a query string.
struct Encoder {
    query: String,
    longest: usize,
    exceeded: bool,
}

impl Encoder {
    fn push(&mut self, name: &str, value: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        push_encoded(&mut self.query, name);
        self.query.push('=');
        push_encoded(&mut self.query, value);
        self.exceeded |= self.query.len() > self.longest;
    }
}

impl<'de> Visitor<'de> for &mut Encoder {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object of parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            for value in members.next_value::<Values<'de>>()?.0 {
                self.push(&name, &value);
                if self.exceeded {
                    return Err(serde::de::Error::custom("too long"));
                }
            }
        }
        Ok(())
    }
}

/// The values of one parameter.
struct Values<'de>(Vec<Cow<'de, str>>);

impl<'de> Deserialize<'de> for Values<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(source)?.get();
        let values = if json.starts_with('[') {
            serde_json::from_str(json).map(|List(values)| values)
        } else {
            text(json).map(|value| vec![value])
        };
        values.map(Self).map_err(serde::de::Error::custom)
    }
}

struct List<'de>(Vec<Cow<'de, str>>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = List<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<'de>, A::Error> {
                let mut values = Vec::new();
                while let Some(item) = items.next_element::<&'de RawValue>()? {
                    values.push(text(item.get()).map_err(serde::de::Error::custom)?);
                }
                Ok(List(values))
            }
        }

        source.deserialize_seq(Items)
    }
}

/// A string's text; a number and a boolean as they are written.
fn text(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(Cow::Owned),
        Some(b'{' | b'[' | b'n') => Err(serde::de::Error::custom("not a value")),
        _ => Ok(Cow::Borrowed(json)),
    }
}
