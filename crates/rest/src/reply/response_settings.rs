//! Status and headers that SQL chose: the settings `response.status` and `response.headers`.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::error::ReplyError;

/// A header that SQL chose.
pub(super) type Header = (HeaderName, HeaderValue);

/// Reads `response.headers`: an array of objects with one string each.
pub(super) fn headers(setting: Option<&[u8]>) -> Result<Vec<Header>, ReplyError> {
    let Some(setting) = setting else {
        return Ok(Vec::new());
    };
    let objects: Vec<Map<String, Value>> =
        serde_json::from_slice(setting).map_err(|_| ReplyError::Headers)?;
    objects.iter().map(header).collect()
}

fn header(object: &Map<String, Value>) -> Result<Header, ReplyError> {
    let mut members = object.iter();
    let (Some((name, Value::String(value))), None) = (members.next(), members.next()) else {
        return Err(ReplyError::Headers);
    };
    let name = HeaderName::try_from(name.as_str()).map_err(|_| ReplyError::Headers)?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| ReplyError::Headers)?;
    Ok((name, value))
}

/// Reads `response.status`: the digits it begins with. A 1xx is not the status of an answer.
pub(super) fn status(setting: Option<&[u8]>) -> Result<Option<StatusCode>, ReplyError> {
    let Some(setting) = setting else {
        return Ok(None);
    };
    let digits = setting
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = std::str::from_utf8(&setting[..digits])
        .ok()
        .and_then(|text| text.parse().ok());
    let status = number.and_then(|number| StatusCode::from_u16(number).ok());
    let status = status.filter(|status| !status.is_informational());
    status.map(Some).ok_or(ReplyError::Status)
}

/// Puts SQL's headers in the place of those of the same names.
pub(super) fn override_headers(headers: &mut HeaderMap, own: Vec<Header>) {
    for (name, _) in &own {
        headers.remove(name);
    }
    for (name, value) in own {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_objects_with_one_string_each() {
        let read = headers(Some(
            br#"[{"X-A":"1"},{"Set-Cookie":"b"},{"Set-Cookie":"c"}]"#,
        ));
        let read = read.unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|(n, v)| (n.as_str(), v.to_str().unwrap()))
            .collect();
        assert_eq!(
            read,
            [("x-a", "1"), ("set-cookie", "b"), ("set-cookie", "c")]
        );
        assert_eq!(headers(None), Ok(Vec::new()));
        for fault in [
            r#"{"X-A":"1"}"#,
            r#"[{"X-A":1}]"#,
            r#"[{"X-A":"1","X-B":"2"}]"#,
            "[{}]",
            "nonsense",
            r#"[{"a b":"1"}]"#,
            r#"[{"X-A":"1\r\nX-B: 2"}]"#,
        ] {
            assert_eq!(
                headers(Some(fault.as_bytes())),
                Err(ReplyError::Headers),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_status_begins_with_its_digits() {
        assert_eq!(status(Some(b"205")), Ok(Some(StatusCode::RESET_CONTENT)));
        assert_eq!(
            status(Some(b"418 teapot")),
            Ok(Some(StatusCode::IM_A_TEAPOT))
        );
        assert_eq!(status(None), Ok(None));
        for fault in ["", "adf", "99", "100", "1000", "99999999999"] {
            assert_eq!(
                status(Some(fault.as_bytes())),
                Err(ReplyError::Status),
                "{fault}"
            );
        }
    }
}
