//! Frames of the Phoenix protocol: text of both versions, and binary ones (Supabase Realtime, protocol 1.0.0 and 2.0.0).

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// The kind of binary frames that clients send.
const USER_PUSH: u8 = 3;
/// The kind of binary frames that clients are sent.
const USER_BROADCAST: u8 = 4;
/// What a binary frame holds is text of JSON.
const JSON: u8 = 1;
/// Bytes of a reference, as in binary frames: it is kept as long as a channel.
const REFERENCE: usize = 255;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.0.0: objects.
    V1,
    /// 2.0.0: arrays, and binary frames.
    V2,
}

/// What a client has sent.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The join that it belongs to.
    pub join_ref: Option<String>,
    /// What a reply is known by.
    pub msg_ref: Option<String>,
    /// `realtime:` and a name, or `phoenix`.
    pub topic: String,
    /// What is wanted.
    pub event: String,
    /// What comes with it.
    pub payload: Payload,
}

/// What comes with an event.
#[derive(Clone, Debug)]
pub enum Payload {
    /// JSON.
    Json(Box<RawValue>),
    /// A broadcast in a binary frame.
    Broadcast {
        /// What the application calls it.
        event: String,
        /// An object of JSON, if there is one.
        metadata: Option<Box<RawValue>>,
        /// What is said.
        body: Body,
    },
}

/// What somebody says.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON.
    Json(Box<RawValue>),
    /// Anything.
    Raw(Bytes),
}

/// A frame that is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the frame is malformed")]
pub struct BadFrame;

#[derive(Deserialize)]
struct Object {
    topic: String,
    event: String,
    payload: Option<Box<RawValue>>,
    #[serde(rename = "ref")]
    msg_ref: Option<Reference>,
    join_ref: Option<Reference>,
}

/// Clients write references as text; old ones write numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Text(String),
    Number(u64),
}

impl Reference {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Version {
    /// The version that a client asks for.
    pub fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("1.0.0") => Some(Self::V1),
            Some("2.0.0") => Some(Self::V2),
            Some(_) => None,
        }
    }

    /// Reads a frame of text.
    ///
    /// # Errors
    /// [`BadFrame`]
    pub fn read(self, text: &str) -> Result<Incoming, BadFrame> {
        let null = || RawValue::from_string("null".to_owned()).map_err(|_| BadFrame);
        let (join_ref, msg_ref, topic, event, payload) = match self {
            Self::V1 => {
                let frame: Object = serde_json::from_str(text).map_err(|_| BadFrame)?;
                (
                    frame.join_ref,
                    frame.msg_ref,
                    frame.topic,
                    frame.event,
                    frame.payload,
                )
            }
            Self::V2 => serde_json::from_str::<(
                Option<Reference>,
                Option<Reference>,
                String,
                String,
                Option<Box<RawValue>>,
            )>(text)
            .map_err(|_| BadFrame)?,
        };
        let (join_ref, msg_ref) = (join_ref.map(Reference::text), msg_ref.map(Reference::text));
        let is_long = |text: &String| text.len() > REFERENCE;
        if join_ref.as_ref().is_some_and(is_long) || msg_ref.as_ref().is_some_and(is_long) {
            return Err(BadFrame);
        }
        Ok(Incoming {
            join_ref,
            msg_ref,
            topic,
            event,
            payload: Payload::Json(match payload {
                Some(payload) => payload,
                None => null()?,
            }),
        })
    }

    /// A frame of text.
    pub fn write(
        self,
        join_ref: Option<&str>,
        msg_ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: &str,
    ) -> String {
        let mut out = String::with_capacity(payload.len() + topic.len() + event.len() + 64);
        match self {
            Self::V1 => {
                out.push_str("{\"topic\":");
                push_text(&mut out, topic);
                out.push_str(",\"event\":");
                push_text(&mut out, event);
                out.push_str(",\"payload\":");
                out.push_str(payload);
                out.push_str(",\"ref\":");
                push_optional(&mut out, msg_ref);
                out.push_str(",\"join_ref\":");
                push_optional(&mut out, join_ref);
                out.push('}');
            }
            Self::V2 => {
                out.push('[');
                push_optional(&mut out, join_ref);
                out.push(',');
                push_optional(&mut out, msg_ref);
                out.push(',');
                push_text(&mut out, topic);
                out.push(',');
                push_text(&mut out, event);
                out.push(',');
                out.push_str(payload);
                out.push(']');
            }
        }
        out
    }
}

/// Text as JSON.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn push_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_text(out, text),
        None => out.push_str("null"),
    }
}

/// Reads a binary frame: a broadcast of version 2.
///
/// # Errors
/// [`BadFrame`]
pub fn read_binary(mut bytes: Bytes) -> Result<Incoming, BadFrame> {
    if bytes.len() < 7 || bytes[0] != USER_PUSH {
        return Err(BadFrame);
    }
    let head = bytes.split_to(7);
    let mut part = |length: u8| {
        let length = usize::from(length);
        if bytes.len() < length {
            return Err(BadFrame);
        }
        let part = bytes.split_to(length);
        std::str::from_utf8(&part)
            .map(str::to_owned)
            .map_err(|_| BadFrame)
    };
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let (join_ref, msg_ref) = (given(part(head[1])?), given(part(head[2])?));
    let (topic, event) = (part(head[3])?, part(head[4])?);
    let raw = |text: String| RawValue::from_string(text).map_err(|_| BadFrame);
    let metadata = given(part(head[5])?).map(raw).transpose()?;
    let body = if head[6] == JSON {
        let text = std::str::from_utf8(&bytes).map_err(|_| BadFrame)?;
        Body::Json(raw(text.to_owned())?)
    } else {
        Body::Raw(bytes)
    };
    Ok(Incoming {
        join_ref,
        msg_ref,
        topic,
        event: "broadcast".to_owned(),
        payload: Payload::Broadcast {
            event,
            metadata,
            body,
        },
    })
}

/// A broadcast of bytes as a binary frame; none where a name is too long for one.
pub fn write_binary(topic: &str, event: &str, metadata: &str, bytes: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(bytes.len() + topic.len() + event.len() + 5);
    out.put_u8(USER_BROADCAST);
    for part in [topic, event, metadata] {
        out.put_u8(u8::try_from(part.len()).ok()?);
    }
    out.put_u8(0);
    for part in [topic, event, metadata] {
        out.put_slice(part.as_bytes());
    }
    out.put_slice(bytes);
    Some(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_read_and_write() {
        for (version, text) in [
            (
                Version::V1,
                r#"{"topic":"realtime:a","event":"phx_join","payload":{"x": [1]},"ref":"2","join_ref":"1"}"#,
            ),
            (
                Version::V2,
                r#"["1","2","realtime:a","phx_join",{"x": [1]}]"#,
            ),
        ] {
            let read = version.read(text).expect("a frame");
            assert_eq!(read.join_ref.as_deref(), Some("1"));
            assert_eq!(read.msg_ref.as_deref(), Some("2"));
            assert_eq!((&*read.topic, &*read.event), ("realtime:a", "phx_join"));
            let Payload::Json(payload) = read.payload else {
                panic!("JSON");
            };
            assert_eq!(payload.get(), r#"{"x": [1]}"#);
            let again = version.write(
                Some("1"),
                Some("2"),
                "realtime:a",
                "phx_join",
                payload.get(),
            );
            assert_eq!(again, text);
        }
        let none = Version::V2.write(None, None, "a\"", "e", "{}");
        assert_eq!(none, r#"[null,null,"a\"","e",{}]"#);
        let long = format!(r#"["{}","2","t","e",{{}}]"#, "x".repeat(256));
        assert!(Version::V2.read(&long).is_err());
        for wrong in ["", "1", "[]", "{}", r#"["1","2","t"]"#, "[1,2,3,4,5]"] {
            assert!(Version::V2.read(wrong).is_err(), "{wrong}");
            assert!(Version::V1.read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn binary_frames() {
        let mut frame = vec![3, 1, 1, 10, 2, 2, 1];
        frame.extend(b"12realtime:aev{}{\"n\":1}");
        let read = read_binary(frame.clone().into()).expect("a frame");
        assert_eq!((&*read.topic, &*read.event), ("realtime:a", "broadcast"));
        let Payload::Broadcast {
            event,
            metadata,
            body,
        } = read.payload
        else {
            panic!("a broadcast");
        };
        assert_eq!(event, "ev");
        assert_eq!(metadata.expect("metadata").get(), "{}");
        assert!(matches!(body, Body::Json(json) if json.get() == "{\"n\":1}"));
        for end in 0..24 {
            assert!(read_binary(frame[..end].to_vec().into()).is_err(), "{end}");
        }
        let written = write_binary("realtime:a", "ev", "", &[0, 255]).expect("a frame");
        assert_eq!(&written[..], b"\x04\x0a\x02\x00\x00realtime:aev\x00\xff");
        assert!(write_binary(&"x".repeat(256), "e", "", b"").is_none());
    }
}
