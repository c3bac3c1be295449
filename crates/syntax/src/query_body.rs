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
    /// It is no JSON object of parameters.
    #[error("Invalid query: not a JSON object of parameters")]
    NotParameters,
}

/// Reads a QUERY request: as [`parse`](fn@crate::parse) reads a GET whose query string goes on in
/// the body. Nothing here bounds the body's length: [`Limits::query_body_bytes`] is for whoever
/// receives it.
///
/// # Errors
/// As for [`parse`](fn@crate::parse), and [`ParseError::QueryBody`].
pub fn parse_query(
    head: &Head<'_>,
    body: &[u8],
    exposure: &Exposure,
    limits: &Limits,
) -> Result<ApiRequest, ParseError> {
    let of_body = parameters(head, body)?;
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
fn parameters<'b>(head: &Head<'_>, body: &'b [u8]) -> Result<Cow<'b, str>, QueryBodyError> {
    let content_type = head
        .header("content-type")
        .ok_or(QueryBodyError::NoContentType)?;
    let text = std::str::from_utf8(body).map_err(|_| QueryBodyError::NotText);
    match MediaType::read(content_type) {
        MediaType::UrlEncoded => {
            let text = text?;
            Ok(Cow::Borrowed(text.strip_prefix('?').unwrap_or(text)))
        }
        MediaType::Json => match serde_json::from_str(text?) {
            Ok(Encoded(query)) => Ok(Cow::Owned(query)),
            Err(_) => Err(QueryBodyError::NotParameters),
        },
        other => Err(QueryBodyError::ContentType(other.mime().into_owned())),
    }
}

/// A query string made of an object: each member is a parameter, a list repeats it.
struct Encoded(String);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Parameters;

        impl<'de> Visitor<'de> for Parameters {
            type Value = Encoded;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object of parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Encoded, A::Error> {
                let mut query = String::new();
                while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                    for value in members.next_value::<Values<'de>>()?.0 {
                        if !query.is_empty() {
                            query.push('&');
                        }
                        push_encoded(&mut query, &name);
                        query.push('=');
                        push_encoded(&mut query, &value);
                    }
                }
                Ok(Encoded(query))
            }
        }

        source.deserialize_map(Parameters)
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
