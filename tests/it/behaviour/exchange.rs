//! Sends a request as it is recorded and says where the answer differs.

use std::fmt::Write as _;

use awc::Client;
use awc::http::Method;
use awc::http::header::{AUTHORIZATION, HeaderMap};
use passerelle_identity::{Secret, SigningKey, mint};
use serde_json::{Value, json};

use super::case::{Bearer, Body, Exchange, Header};
use crate::callers::now;
use crate::gateway::SECRET;

/// More than any recorded answer has.
const BODY_LIMIT: usize = 1 << 20;

impl Exchange {
    /// Asks the server; the differences are empty where the answer is the recorded one.
    pub(super) async fn ask(&self, client: &Client, url: &str) -> Vec<String> {
        let method = Method::from_bytes(self.method.as_bytes()).expect("a method");
        let mut request = client
            .request(method, format!("{url}{}", encoded(&self.path)))
            .no_decompress();
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        if let Some(token) = self.bearer.token() {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {token}")));
        }
        let sent = match &self.body {
            Some(body) => request.send_body(body.clone()),
            None => request.send(),
        };
        let mut response = match sent.await {
            Ok(response) => response,
            Err(error) => return vec![format!("no answer: {error}")],
        };
        let body = match response.body().limit(BODY_LIMIT).await {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(error) => return vec![format!("no body: {error}")],
        };
        self.differences(response.status().as_u16(), response.headers(), &body)
    }

    fn differences(&self, status: u16, headers: &HeaderMap, body: &str) -> Vec<String> {
        let expected = &self.expected;
        let mut found = Vec::new();
        if status != expected.status {
            found.push(format!("status {status} instead of {}", expected.status));
        }
        for (name, header) in &expected.headers {
            let values: Vec<_> = headers
                .get_all(name.as_str())
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            let value = (!values.is_empty()).then(|| values.join(" | "));
            match (header, value) {
                (Header::Is(wanted), Some(value)) if *wanted == value => {}
                (Header::Absent, None) | (Header::Present, Some(_)) => {}
                (Header::Is(wanted), value) => {
                    found.push(format!("{name}: {value:?} instead of {wanted:?}"));
                }
                (Header::Absent, Some(value)) => found.push(format!("{name}: {value:?} is there")),
                (Header::Present, None) => found.push(format!("{name} is missing")),
            }
        }
        expected.body.differences(body, &mut found);
        if !found.is_empty() && !body.is_empty() {
            found.push(format!("body: {body}"));
        }
        found
    }
}

impl Body {
    fn differences(&self, body: &str, found: &mut Vec<String>) {
        let json = || serde_json::from_str::<Value>(body);
        match self {
            Self::Any => {}
            Self::Text(wanted) if wanted == body => {}
            Self::Text(wanted) => found.push(format!("text {body:?} instead of {wanted:?}")),
            Self::Json(wanted) => match json() {
                Ok(value) => compare("$", &value, wanted, found),
                Err(error) => found.push(format!("{error} instead of {wanted}")),
            },
            Self::Members(members) => match json() {
                Ok(Value::Object(value)) => {
                    for (name, wanted) in members {
                        let value = value.get(name).unwrap_or(&Value::Null);
                        compare(&format!("$.{name}"), value, wanted, found);
                    }
                }
                _ => found.push("the body is no JSON object".to_owned()),
            },
        }
    }
}

/// Names the smallest parts that differ.
fn compare(at: &str, value: &Value, wanted: &Value, found: &mut Vec<String>) {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) if value.keys().eq(wanted.keys()) => {
            for (key, wanted) in wanted {
                compare(&format!("{at}.{key}"), &value[key], wanted, found);
            }
        }
        (Value::Array(value), Value::Array(wanted)) if value.len() == wanted.len() => {
            for (index, (value, wanted)) in value.iter().zip(wanted).enumerate() {
                compare(&format!("{at}[{index}]"), value, wanted, found);
            }
        }
        _ if value == wanted => {}
        _ => found.push(format!("{at}: {value} instead of {wanted}")),
    }
}

impl Bearer {
    fn token(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text.clone()),
            Self::Claims { claims, from_now } => {
                let mut claims = claims.clone();
                for (claim, seconds) in from_now {
                    let seconds = seconds.as_i64().expect("seconds from now");
                    claims.insert(claim.clone(), json!(now() + seconds));
                }
                let key = SigningKey::hs256(&Secret::from(SECRET));
                Some(mint(&claims, &key).expect("claims have a JSON form"))
            }
        }
    }
}

/// The record writes paths as people read them; what a request line cannot hold is encoded on the way.
fn encoded(path: &str) -> String {
    let mut target = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            target.push(char::from(byte));
        } else {
            write!(target, "%{byte:02X}").expect("a String takes it");
        }
    }
    target
}
