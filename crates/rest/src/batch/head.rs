//! The head of an item: its method, its path, and the batch's headers with its own laid over them.

use actix_web::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RANGE, TRANSFER_ENCODING,
};

use super::{BatchError, Item};

/// Headers that say something of the batch itself and nothing of its items.
const OF_THE_BATCH: [HeaderName; 8] = [
    ACCEPT,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    RANGE,
    TRANSFER_ENCODING,
    HeaderName::from_static("range-unit"),
    PREFER,
];

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Headers that say who asks, from where and on which connection: an item cannot say otherwise.
const REFUSED: &[&str] = &[
    "apikey",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
    "x-request-id",
];

const REFUSED_PREFIX: &str = "x-forwarded-";

/// The methods of an item.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"];

/// An item's request line and headers.
#[derive(Debug)]
pub(crate) struct ItemHead {
    pub(crate) method: String,
    /// Path below the surface's prefix.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
}

impl ItemHead {
    /// The head of an item of a batch with these headers.
    ///
    /// # Errors
    /// [`BatchError`] for a header that an item cannot have, and a path that is too long.
    pub(crate) fn read(
        item: &Item<'_>,
        batch: &HeaderMap,
        path_bytes: usize,
    ) -> Result<Self, BatchError> {
        if item.path.len() > path_bytes {
            return Err(BatchError::PathTooLong { limit: path_bytes });
        }
        let mut headers = batch.clone();
        for name in &OF_THE_BATCH {
            headers.remove(name);
        }
        for (name, value) in &item.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        let (path, query) = item.path.split_once('?').unwrap_or((&item.path, ""));
        Ok(Self {
            method: item.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
        })
    }

    /// Whether the method is one that items may have.
    pub(crate) fn has_known_method(&self) -> bool {
        METHODS.contains(&&*self.method)
    }

    /// The headers that the grammar reads.
    pub(crate) fn lines(&self) -> Vec<(&str, &str)> {
        let lines = self.headers.iter();
        lines
            .filter_map(|(name, value)| {
                Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
            })
            .collect()
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BatchError> {
    let malformed = |source| BatchError::HeaderMalformed {
        name: name.to_owned(),
        source,
    };
    let parsed = HeaderName::try_from(name).map_err(|source| malformed(Some(source)))?;
    if REFUSED.contains(&parsed.as_str()) || parsed.as_str().starts_with(REFUSED_PREFIX) {
        return Err(BatchError::HeaderRefused {
            name: parsed.as_str().to_owned(),
        });
    }
    let mut preferences = value.split(',').map(str::trim);
    if parsed == PREFER && preferences.any(|preference| preference.starts_with("tx=")) {
        return Err(BatchError::TransactionEnd);
    }
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| malformed(None))?;
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(item: &str) -> Result<ItemHead, BatchError> {
        let mut batch = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("content-type", "application/json"),
            ("prefer", "tx=rollback"),
            ("x-mine", "batch"),
            ("accept-profile", "other"),
        ] {
            batch.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let items = format!("[{item}]");
        let items = super::super::read(items.as_bytes(), 1).unwrap();
        ItemHead::read(&items[0], &batch, 30)
    }

    #[test]
    fn headers_of_an_item_are_laid_over_those_of_the_batch() {
        let head = read(
            r#"{"method":"GET","path":"/a?b=eq.?","headers":{"X-Mine":"é","Prefer":"count=exact"}}"#,
        );
        let head = head.unwrap();
        let mut lines = head.lines();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                ("accept-profile", "other"),
                ("authorization", "Bearer x"),
                ("prefer", "count=exact"),
                ("x-mine", "é")
            ]
        );
        assert_eq!((&*head.path, &*head.query), ("/a", "b=eq.?"));
    }

    #[test]
    fn what_an_item_cannot_have() {
        for name in [
            "Authorization",
            "apikey",
            "COOKIE",
            "x-forwarded-for",
            "Host",
        ] {
            let item = format!(r#"{{"method":"GET","path":"/a","headers":{{"{name}":"x"}}}}"#);
            let refused = read(&item);
            assert!(
                matches!(refused, Err(BatchError::HeaderRefused { .. })),
                "{name}"
            );
        }
        let malformed = read(r#"{"method":"GET","path":"/a","headers":{"a b":"x"}}"#);
        assert!(matches!(malformed, Err(BatchError::HeaderMalformed { .. })));
        let malformed = read(r#"{"method":"GET","path":"/a","headers":{"a":"x\r\ny: z"}}"#);
        assert!(matches!(malformed, Err(BatchError::HeaderMalformed { .. })));
        let ends = read(
            r#"{"method":"GET","path":"/a","headers":{"Prefer":"return=minimal, tx=commit"}}"#,
        );
        assert!(matches!(ends, Err(BatchError::TransactionEnd)));
        let long = format!(r#"{{"method":"GET","path":"/{}"}}"#, "x".repeat(30));
        assert!(matches!(
            read(&long),
            Err(BatchError::PathTooLong { limit: 30 })
        ));
    }
}
