//! Names of relations and columns as keys of components, and in paths.
//!
//! Keys may have letters, digits, `.`, `-` and `_` only.

use std::fmt::Write as _;

/// A key of parts that dots separate. Parts that have other characters, or a dot, begin with a
/// hyphen and have `-hex.` for each of these, so that different names have different keys.
pub(super) fn key(parts: &[&str]) -> String {
    let mut key = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push('.');
        }
        push_part(&mut key, part);
    }
    key
}

fn push_part(key: &mut String, part: &str) {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_plain =
        !part.is_empty() && !part.starts_with('-') && part.chars().all(|c| is_kept(c) || c == '-');
    if is_plain {
        key.push_str(part);
        return;
    }
    key.push('-');
    for c in part.chars() {
        if is_kept(c) {
            key.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(key, "-{:x}.", u32::from(c));
        }
    }
}

/// A path of these segments, percent-encoded: braces would stand for parameters.
pub(super) fn path(segments: &[&str]) -> String {
    let mut path = String::new();
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            path.push('/');
        }
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_have_the_characters_that_are_allowed_and_differ() {
        let parts = [
            "", "a", "a.b", "-a", "-a-2e", "a-2e.b", "ä b", "{x}", "a-b", "b", "values",
        ];
        let mut keys = HashSet::new();
        for one in parts {
            assert!(keys.insert(key(&[one])), "{one}");
            for other in parts {
                assert!(keys.insert(key(&[one, other])), "{one} {other}");
            }
        }
        for key in &keys {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(!key.is_empty() && key.chars().all(allowed), "{key}");
        }
        assert_eq!(
            key(&["rowFilter", "film_actor", "id"]),
            "rowFilter.film_actor.id"
        );
    }

    #[test]
    fn paths_are_percent_encoded() {
        assert_eq!(path(&["", "rpc", "{a} é"]), "/rpc/%7Ba%7D%20%C3%A9");
    }
}
