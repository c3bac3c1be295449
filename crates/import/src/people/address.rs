//! E-mail addresses.

/// The most characters that the columns have room for.
const LONGEST: usize = 255;

/// An address as it is compared: in lower case; none if it cannot be one.
pub(super) fn address(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let is_sound = !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && address.chars().count() <= LONGEST
        && !address
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '<' || c == '>');
    is_sound.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn case_and_space_do_not_matter() {
        assert_eq!(address(" Ada@Example.ORG ").unwrap(), "ada@example.org");
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@b@c",
            "a b@c",
            "<a@b>",
            "a@b\u{7}",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
        assert_eq!(address(&format!("{}@example.org", "a".repeat(300))), None);
    }
}
