//! The request as SQL sees it: `request.headers` and `request.cookies`, as JSON objects.

use actix_web::http::header::{COOKIE, HeaderMap};
use passerelle_surface::json;

/// Bytes of a header's quotes, colon and comma.
const PUNCTUATION: usize = 6;

/// All headers but the cookies, names in lower case. Of several lines of one name the last counts.
pub(crate) fn headers_json(headers: &HeaderMap) -> String {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + PUNCTUATION);
    let mut out = String::with_capacity(2 + sizes.sum::<usize>());
    out.push('{');
    // Lines of one name come one after the other.
    let mut pairs = headers.iter().peekable();
    while let Some((name, value)) = pairs.next() {
        if name == COOKIE || pairs.peek().is_some_and(|(next, _)| *next == name) {
            continue;
        }
        push_member(&mut out, name.as_str(), value.as_bytes());
    }
    out.push('}');
    out
}

/// The members of all `Cookie` headers (RFC 6265, section 5.4).
pub(crate) fn cookies_json(headers: &HeaderMap) -> String {
    let mut out = String::from("{");
    for line in headers.get_all(COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            if pair.is_empty() {
                continue;
            }
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = String::from_utf8_lossy(parts.next().unwrap_or_default());
            push_member(&mut out, &name, parts.next().unwrap_or_default());
        }
    }
    out.push('}');
    out
}

fn push_member(out: &mut String, name: &str, value: &[u8]) {
    if out.len() > 1 {
        out.push(',');
    }
    json::push_string(out, name);
    out.push(':');
    json::push_string(out, &String::from_utf8_lossy(value));
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn headers_without_cookies() {
        let request = TestRequest::default()
            .append_header(("X-Custom", "a \"quoted\" one"))
            .append_header(("X-Twice", "1"))
            .append_header(("X-Twice", "2"))
            .append_header(("Cookie", "a=1"))
            .to_http_request();
        let written: Value = serde_json::from_str(&headers_json(request.headers())).unwrap();
        assert_eq!(
            written,
            json!({"x-custom": "a \"quoted\" one", "x-twice": "2"})
        );
    }

    #[test]
    fn cookies_of_all_lines() {
        let request = TestRequest::default()
            .append_header(("Cookie", "a=1; b=x=y;;c"))
            .append_header(("Cookie", "d=\"q\""))
            .to_http_request();
        let written: Value = serde_json::from_str(&cookies_json(request.headers())).unwrap();
        assert_eq!(
            written,
            json!({"a": "1", "b": "x=y", "c": "", "d": "\"q\""})
        );
        assert_eq!(cookies_json(&HeaderMap::new()), "{}");
    }
}
