//! Files that browsers kept beside their tables.

use serde_json::{Map, Value};

/// Of 10 MB in base64, and its address.
const LONGEST: usize = 15_000_000;
const UNKNOWN: &str = "application/octet-stream";

/// A file as a data URL; none if it is damaged or too large.
pub(crate) fn data_url(file: &Map<String, Value>) -> Option<String> {
    let data = file.get("data")?.as_str()?;
    if data.is_empty() || data.len() > LONGEST {
        return None;
    }
    if let Some(rest) = data.strip_prefix("data:") {
        let (kind, encoded) = rest.split_once(";base64,")?;
        let is_sound = is_media_type(kind.split(';').next()?) && is_base64(encoded);
        return is_sound.then(|| data.to_owned());
    }
    let kind = file.get("type").and_then(Value::as_str);
    let kind = kind.filter(|kind| is_media_type(kind)).unwrap_or(UNKNOWN);
    is_base64(data).then(|| format!("data:{kind};base64,{data}"))
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len() - digits.len() <= 2
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
    };
    text.len() <= 127
        && text
            .split_once('/')
            .is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url(file: &Value) -> Option<String> {
        data_url(file.as_object().unwrap())
    }

    #[test]
    fn a_file_becomes_an_address() {
        let file = json!({ "name": "a.txt", "type": "text/plain", "size": 2, "data": "aGk=" });
        assert_eq!(url(&file).unwrap(), "data:text/plain;base64,aGk=");
        let whole = json!({ "data": "data:image/png;base64,aGk=" });
        assert_eq!(url(&whole).unwrap(), "data:image/png;base64,aGk=");
    }

    #[test]
    fn what_is_no_type_is_unknown() {
        for kind in ["", "a/b;x=\"", "text/html,<script>"] {
            let file = json!({ "type": kind, "data": "aGk=" });
            assert_eq!(
                url(&file).unwrap(),
                "data:application/octet-stream;base64,aGk="
            );
        }
    }

    #[test]
    fn damage_is_noticed() {
        for data in [
            "",
            "a\"b",
            "data:text/html,<script>",
            "data:image/png;base64,<",
        ] {
            assert_eq!(url(&json!({ "data": data })), None, "{data}");
        }
    }
}
