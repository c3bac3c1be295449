//! Halves of characters: browsers cut text anywhere and write what is left as an escape that no UTF-8 can hold.

use std::borrow::Cow;

const REPLACEMENT: &str = "\\ufffd";

/// JSON in which every half of a character is the replacement character.
pub(super) fn mended(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let bytes = json.as_bytes();
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        let start = at + found;
        let Some(unit) = unit(json, start) else {
            // Another escape, of two characters.
            at = (start + 2).min(bytes.len());
            continue;
        };
        let end = start + 6;
        at = end;
        match unit {
            0xD800..=0xDBFF
                if self::unit(json, end).is_some_and(|low| (0xDC00..=0xDFFF).contains(&low)) =>
            {
                at = end + 6;
            }
            0xD800..=0xDFFF => {
                out.push_str(&json[copied..start]);
                out.push_str(REPLACEMENT);
                copied = end;
            }
            _ => {}
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// The value of an escape `\uXXXX` that begins here.
fn unit(json: &str, start: usize) -> Option<u32> {
    let digits = json.get(start..start + 6)?.strip_prefix("\\u")?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        for (json, expected) in [
            (r#""a\ud83db""#, r#""a\ufffdb""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            // A backslash, and letters.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\n\\\ud83d""#, r#""\n\\\ufffd""#),
            ("\\", "\\"),
        ] {
            assert_eq!(mended(json), expected);
        }
    }
}
