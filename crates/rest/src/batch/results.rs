//! The results of a batch: what is answered, and what later items refer to.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use actix_web::HttpResponse;
use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use passerelle_surface::json::push_string;
use serde::de::IgnoredAny;

use super::pointer::{self, Found};
use super::{BatchError, Item, ReferenceError};

/// Bytes of a name at most.
const NAME: usize = 63;

/// What is known of a body before it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// PostgreSQL writes it as JSON.
    Json,
    /// A function of the database writes it, or it is no JSON.
    Any,
}

/// The results so far, as they are going to be sent.
pub(crate) struct Results {
    text: String,
    limit: usize,
    named: HashMap<String, Range<usize>>,
    declared: HashSet<String>,
}

/// The names that are known.
#[derive(Clone, Copy)]
pub(crate) struct Names<'r>(&'r Results);

impl Results {
    /// No results yet, of these items. `limit` is how many bytes all of them may have.
    ///
    /// # Errors
    /// A name that is none, or is declared twice, with the index of its item.
    pub(crate) fn new(items: &[Item<'_>], limit: usize) -> Result<Self, (usize, ReferenceError)> {
        let mut declared = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            for name in item.names.keys() {
                let name = name.to_owned();
                if !is_name(&name) {
                    return Err((index, ReferenceError::Name { name }));
                }
                if declared.contains(&name) {
                    return Err((index, ReferenceError::Twice { name }));
                }
                declared.insert(name);
            }
        }
        Ok(Self {
            text: String::from("["),
            limit,
            named: HashMap::new(),
            declared,
        })
    }

    /// Forgets all results, for another attempt.
    pub(crate) fn clear(&mut self) {
        self.text.truncate(1);
        self.named.clear();
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names(self)
    }

    /// Adds the result of an item and finds what the item names of it.
    ///
    /// # Errors
    /// [`BatchError`] for a result that is too large or no text, and a name whose pointer finds
    /// nothing.
    pub(crate) fn push(
        &mut self,
        item: &Item<'_>,
        response: HttpResponse,
        kind: BodyKind,
    ) -> Result<(), BatchError> {
        let limit = self.limit;
        let (response, body) = response.into_parts();
        let body = body.try_into_bytes().unwrap_or_default();
        if self.text.len() + body.len() > limit {
            return Err(BatchError::ResultsTooLarge { limit });
        }
        if self.text.len() > 1 {
            self.text.push(',');
        }
        let start = self.text.len();
        self.push_head(response.status(), response.headers());
        self.push_body(&body, kind, response.headers().get(CONTENT_TYPE))?;
        self.text.push('}');
        if self.text.len() > limit {
            return Err(BatchError::ResultsTooLarge { limit });
        }
        self.name_parts(item, start)?;
        Ok(())
    }

    fn push_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.text.push_str("{\"status\":");
        self.text.push_str(status.as_str());
        self.text.push_str(",\"headers\":{");
        for (index, name) in headers.keys().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            push_string(&mut self.text, name.as_str());
            self.text.push(':');
            let lines: Vec<_> = headers
                .get_all(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            push_string(&mut self.text, &lines.join(", "));
        }
        self.text.push_str("},\"body\":");
    }

    fn push_body(
        &mut self,
        body: &Bytes,
        kind: BodyKind,
        content_type: Option<&HeaderValue>,
    ) -> Result<(), BatchError> {
        let text = std::str::from_utf8(body).map_err(|_| BatchError::NotText)?;
        if text.is_empty() {
            self.text.push_str("null");
        } else if kind == BodyKind::Json || (is_json(content_type) && is_valid(text)) {
            self.text.push_str(text);
        } else {
            push_string(&mut self.text, text);
        }
        Ok(())
    }

    fn name_parts(&mut self, item: &Item<'_>, start: usize) -> Result<(), ReferenceError> {
        let result = &self.text[start..];
        for (name, pointer) in &item.names {
            let (name, pointer) = (name.clone(), pointer.clone());
            let part = match pointer::find(result, &pointer) {
                Some(Found::Part(part)) => part,
                Some(Found::Nothing) => return Err(ReferenceError::Missing { name, pointer }),
                None => return Err(ReferenceError::Pointer { name, pointer }),
            };
            let offset = part.as_ptr() as usize - self.text.as_ptr() as usize;
            self.named.insert(name, offset..offset + part.len());
        }
        Ok(())
    }

    /// The body of the answer.
    pub(crate) fn finish(mut self) -> String {
        self.text.push(']');
        self.text
    }
}

impl<'r> Names<'r> {
    /// The JSON that a name stands for.
    ///
    /// # Errors
    /// [`ReferenceError::Unknown`].
    pub(crate) fn value(self, name: &str) -> Result<&'r str, ReferenceError> {
        let range = self.0.named.get(name).cloned();
        range
            .map(|range| &self.0.text[range])
            .ok_or_else(|| ReferenceError::Unknown {
                name: name.to_owned(),
            })
    }

    /// The name and the JSON of `$name`; nothing where no item declares the name, since the text
    /// is just text then.
    ///
    /// # Errors
    /// [`ReferenceError::Unknown`] for a name that no item before declares.
    pub(crate) fn resolve<'t>(
        self,
        text: &'t str,
    ) -> Result<Option<(&'t str, &'r str)>, ReferenceError> {
        match text.strip_prefix('$') {
            Some(name) if self.0.declared.contains(name) => Ok(Some((name, self.value(name)?))),
            _ => Ok(None),
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= NAME
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(mime) = content_type.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mime = mime.split(';').next().unwrap_or_default().trim();
    mime == "application/json" || mime.ends_with("+json")
}

fn is_valid(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
