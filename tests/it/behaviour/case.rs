//! What a recorded case says, read from its line; a key that nobody knows is a mistake in the record.

use serde_json::{Map, Value};

/// Where an expectation may come from: the reference's documentation, its specification or, where both are silent, its source.
const SOURCES: [&str; 3] = ["docs: ", "spec: ", "source: "];

/// One request and the answer that the reference gives.
pub(super) struct Case {
    pub(super) name: String,
    /// The name of the configuration the gateway runs with.
    pub(super) configuration: String,
    /// The request with its answer, then those that are to follow it.
    pub(super) exchanges: Vec<Exchange>,
}

/// A request and what is expected of its answer.
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) bearer: Bearer,
    pub(super) body: Option<String>,
    pub(super) expected: Expected,
}

/// What follows `Bearer` in the request.
pub(super) enum Bearer {
    None,
    /// As it stands.
    Text(String),
    /// A token with these claims, some of them in seconds from now.
    Claims {
        claims: Map<String, Value>,
        from_now: Map<String, Value>,
    },
}

/// The recorded answer.
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) headers: Vec<(String, Header)>,
}

/// How the body is compared.
pub(super) enum Body {
    Any,
    /// Equal as JSON.
    Json(Value),
    /// An object with at least these members.
    Members(Map<String, Value>),
    /// Equal bytes.
    Text(String),
}

/// How a header of the answer is compared.
pub(super) enum Header {
    /// This value; several of one name are joined with `" | "`.
    Is(String),
    Absent,
    Present,
}

impl Case {
    /// Reads one line of a file of cases.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let mut fields = Fields::of(value)?;
        let name = fields.text("name")?.ok_or("a case has a name")?;
        fields
            .text("source")?
            .filter(|source| SOURCES.iter().any(|kind| source.starts_with(kind)))
            .ok_or("a case says its source, as docs: …, spec: … or source: …")?;
        let configuration = fields.text("config")?.unwrap_or_else(|| "base".to_owned());
        let then = fields.array("then")?;
        let mut exchanges = vec![Exchange::read(fields)?];
        for next in then {
            exchanges.push(Exchange::read(Fields::of(next)?)?);
        }
        Ok(Self {
            name,
            configuration,
            exchanges,
        })
    }
}

impl Exchange {
    fn read(mut fields: Fields) -> Result<Self, String> {
        let exchange = Self {
            method: fields.text("method")?.unwrap_or_else(|| "GET".to_owned()),
            path: fields.text("path")?.ok_or("a request has a path")?,
            headers: request_headers(fields.object("headers")?)?,
            bearer: bearer(&mut fields)?,
            body: match (fields.take("body"), fields.text("text")?) {
                (None, text) => text,
                (Some(json), None) => Some(json.to_string()),
                (Some(_), Some(_)) => return Err("body and text exclude each other".to_owned()),
            },
            expected: Expected::read(&mut fields)?,
        };
        fields.end()?;
        Ok(exchange)
    }
}

impl Expected {
    /// The code of the error that is expected.
    pub(super) fn code(&self) -> Option<String> {
        let code = match &self.body {
            Body::Json(body) => body.get("code"),
            Body::Members(members) => members.get("code"),
            Body::Any | Body::Text(_) => None,
        };
        code.and_then(Value::as_str).map(str::to_owned)
    }

    fn read(fields: &mut Fields) -> Result<Self, String> {
        let status = fields
            .take("status")
            .and_then(|status| status.as_u64())
            .and_then(|status| u16::try_from(status).ok())
            .ok_or("an answer has a status")?;
        let body = match (
            fields.take("reply"),
            fields.object("reply_has")?,
            fields.text("reply_text")?,
        ) {
            (None, members, None) if members.is_empty() => Body::Any,
            (None, members, None) => Body::Members(members),
            (Some(json), members, None) if members.is_empty() => Body::Json(json),
            (None, members, Some(text)) if members.is_empty() => Body::Text(text),
            _ => return Err("reply, reply_has and reply_text exclude each other".to_owned()),
        };
        let headers = fields.object("reply_headers")?.into_iter();
        let headers = headers
            .map(|(name, value)| match value {
                Value::String(value) => Ok((name, Header::Is(value))),
                Value::Null => Ok((name, Header::Absent)),
                Value::Bool(true) => Ok((name, Header::Present)),
                _ => Err(format!("header {name}: a text, null or true")),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            status,
            body,
            headers,
        })
    }
}

/// A list as value stands for several headers of one name.
fn request_headers(fields: Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (name, value) in fields {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let text = value
                .as_str()
                .ok_or_else(|| format!("header {name}: texts"))?;
            headers.push((name.clone(), text.to_owned()));
        }
    }
    Ok(headers)
}

fn bearer(fields: &mut Fields) -> Result<Bearer, String> {
    if let Some(text) = fields.text("bearer")? {
        return Ok(Bearer::Text(text));
    }
    let role = fields.text("role")?;
    let claims = fields.take("claims");
    let from_now = fields.object("claims_from_now")?;
    if role.is_none() && claims.is_none() && from_now.is_empty() {
        return Ok(Bearer::None);
    }
    let mut claims = match claims {
        None => Map::new(),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err("claims are an object".to_owned()),
    };
    if let Some(role) = role {
        claims.insert("role".to_owned(), Value::String(role));
    }
    Ok(Bearer::Claims { claims, from_now })
}

/// The members of an object that were not read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err("a case is an object".to_owned()),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{key} is a text")),
        }
    }

    fn object(&mut self, key: &str) -> Result<Map<String, Value>, String> {
        match self.take(key) {
            None => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(format!("{key} is an object")),
        }
    }

    fn array(&mut self, key: &str) -> Result<Vec<Value>, String> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(array)) => Ok(array),
            Some(_) => Err(format!("{key} is an array")),
        }
    }

    fn end(self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(format!("nobody knows the key {key}")),
        }
    }
}
