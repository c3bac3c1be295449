//! Keys that are told to a client: a JSON array, cut to a length.

use serde_json::value::RawValue;

/// Bytes of the array in an error at most.
pub(crate) const IN_ERROR: usize = 4096;

/// Bytes of the array in a header at most. Proxies take few bytes of headers, 4 KiB of all by
/// default, and what was committed must not become a 502.
pub(crate) const IN_HEADER: usize = 1024;

/// As many of the array's elements, from its beginning, as there is room for in so many bytes, in
/// ASCII.
pub(crate) fn bounded(array: &[u8], longest: usize) -> String {
    let keys: Vec<&RawValue> = serde_json::from_slice(array).unwrap_or_default();
    let mut out = String::from("[");
    for key in keys {
        let before = out.len();
        if before > 1 {
            out.push(',');
        }
        push_ascii(&mut out, key.get());
        if out.len() >= longest {
            out.truncate(before);
            break;
        }
    }
    out.push(']');
    out
}

/// JSON on one line whose strings are escaped where a header could not hold them.
fn push_ascii(out: &mut String, json: &str) {
    for character in json.chars() {
        match character {
            // PostgreSQL breaks lines between members, never within strings.
            '\n' | '\r' | '\t' => out.push(' '),
            ' '..='~' => out.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str("\\u");
                    let digits = [12, 8, 4, 0].map(|shift| u32::from(*unit >> shift & 0xf));
                    out.extend(
                        digits
                            .into_iter()
                            .filter_map(|digit| char::from_digit(digit, 16)),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ascii_and_the_same_values() {
        let keys = "[{\"id\":1}, \n {\"id\":\"é😀\u{7f}\\n\"}]";
        let told = bounded(keys.as_bytes(), IN_HEADER);
        assert_eq!(told, r#"[{"id":1},{"id":"\u00e9\ud83d\ude00\u007f\n"}]"#);
        let (told, keys): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(&told).unwrap(),
            serde_json::from_str(keys).unwrap(),
        );
        assert_eq!(told, keys);
    }

    #[test]
    fn what_is_too_long_is_left_out_as_a_whole() {
        let key = format!("{{\"id\":\"{}\"}}", "x".repeat(1000));
        let all = format!("[{}]", [key.as_str(); 9].join(","));
        let told = bounded(all.as_bytes(), IN_ERROR);
        assert!(told.len() <= IN_ERROR);
        let told: Vec<serde_json::Value> = serde_json::from_str(&told).unwrap();
        assert_eq!(told.len(), 4);
        assert_eq!(
            bounded(format!("[\"{}\"]", "x".repeat(9000)).as_bytes(), IN_ERROR),
            "[]"
        );
        assert_eq!(bounded(b"[1,2]", 5), "[1,2]");
        assert_eq!(bounded(b"[1,2]", 4), "[1]");
        assert_eq!(bounded(b"[]", IN_HEADER), "[]");
    }
}
