//! JSON strings written straight into a buffer.

/// Appends `text` as a JSON string, quotes included (RFC 8259, section 7).
pub fn push_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut clean = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[clean..index]);
        clean = index + 1;
        if escape.is_empty() {
            out.push_str("\\u00");
            out.push(hex(byte >> 4));
            out.push(hex(byte & 0xf));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::push_string;

    fn written(text: &str) -> String {
        let mut out = String::new();
        push_string(&mut out, text);
        out
    }

    #[test]
    fn plain_text_is_quoted() {
        assert_eq!(written("añb"), "\"añb\"");
        assert_eq!(written(""), "\"\"");
    }

    #[test]
    fn every_control_character_survives_a_json_parser() {
        let text: String = (0u8..=0x7f)
            .map(char::from)
            .chain("é\u{2028}😀".chars())
            .collect();
        assert_eq!(
            serde_json::from_str::<String>(&written(&text)).unwrap(),
            text
        );
    }
}
