//! Where browsers are sent: to the site, and to what the configuration lists. Never to where a header says.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Where browsers may be sent.
#[derive(Clone, Debug, Default)]
pub struct Redirects {
    /// The site: where to go when nothing else is asked for.
    pub site_url: String,
    /// Patterns as Supabase has them: `*` stands for anything but `.` and `/`, `**` for anything, `?` for one character but these.
    pub allowed: Vec<String>,
}

/// What form data leaves as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Redirects {
    /// Where to go if this is asked for.
    pub(crate) fn target(&self, wanted: Option<&str>) -> String {
        match wanted {
            Some(wanted) if self.allows(wanted) => wanted.to_owned(),
            _ => self.site_url.clone(),
        }
    }

    fn allows(&self, wanted: &str) -> bool {
        // What browsers mend while reading could mean another host than it seems to.
        let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
        if wanted.len() > 2048 || !wanted.chars().all(is_plain) {
            return false;
        }
        if origin(wanted).is_some_and(|wanted| Some(wanted) == origin(&self.site_url)) {
            return true;
        }
        // A fragment is the client's own, and where the session goes.
        let wanted = wanted.split('#').next().unwrap_or_default();
        self.allowed
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), wanted.as_bytes()))
    }
}

/// Scheme, host and port, as they are written; none with a user in front of the host.
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let length = url[start..]
        .find(['/', '?', '#'])
        .unwrap_or(url.len() - start);
    let origin = &url[..start + length];
    let is_web = origin.starts_with("http://") || origin.starts_with("https://");
    (is_web && length > 0 && !origin.contains('@')).then_some(origin)
}

/// Whether all of a text is what a pattern stands for.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where the last star was, and how far the text had come: for `*`, and for `**`, which reaches further.
    let (mut at, mut read) = (0, 0);
    let (mut single, mut double) = (None, None);
    while read < text.len() || at < pattern.len() {
        if pattern[at..].starts_with(b"**") {
            at += 2;
            (single, double) = (None, Some((at, read)));
            continue;
        }
        match (pattern.get(at), text.get(read)) {
            (Some(b'*'), _) => {
                at += 1;
                single = Some((at, read));
            }
            (Some(b'?'), Some(c)) if !is_separator(*c) => (at, read) = (at + 1, read + 1),
            (Some(expected), Some(c)) if expected == c && *expected != b'?' => {
                (at, read) = (at + 1, read + 1);
            }
            _ => {
                if let Some((after, from)) = single
                    && text.get(from).is_some_and(|c| !is_separator(*c))
                {
                    single = Some((after, from + 1));
                    (at, read) = (after, from + 1);
                } else if let Some((after, from)) = double
                    && from < text.len()
                {
                    (single, double) = (None, Some((after, from + 1)));
                    (at, read) = (after, from + 1);
                } else {
                    return false;
                }
            }
        }
    }
    true
}

fn is_separator(c: u8) -> bool {
    matches!(c, b'.' | b'/')
}

/// The URL with parameters in its fragment.
pub(crate) fn with_fragment(url: &str, pairs: &[(&str, impl AsRef<str>)]) -> String {
    let url = url.split('#').next().unwrap_or_default();
    format!("{url}#{}", encoded(pairs))
}

/// The URL with more parameters in its query; those that it has stay.
pub(crate) fn with_query(url: &str, pairs: &[(&str, impl AsRef<str>)]) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{}", encoded(pairs))
}

/// Parameters as forms and queries write them.
pub(crate) fn encoded(pairs: &[(&str, impl AsRef<str>)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value.as_ref(), KEPT)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("https://*.example.org", "https://app.example.org", true),
            ("https://*.example.org", "https://a.b.example.org", false),
            (
                "https://*.example.org",
                "https://evil.org/.example.org",
                false,
            ),
            (
                "https://example.org/**",
                "https://example.org/a/b?c=d.e",
                true,
            ),
            ("https://example.org/*", "https://example.org/a/b", false),
            ("https://example.org/*/c", "https://example.org/b/c", true),
            ("http://localhost:*/**", "http://localhost:5173/x/y", true),
            (
                "http://localhost:*",
                "http://localhost:5173@evil.org",
                false,
            ),
            ("app://?allback", "app://callback", true),
            ("app://?allback", "app://.allback", false),
            ("app://callback", "app://callback", true),
            ("app://callback", "app://callback2", false),
            ("**", "anything/at.all", true),
            ("**/end", "a/b/end", true),
            ("a**b*c", "a/x/b1c", true),
            ("a**b*c", "a/b.b2c", true),
            ("a**b*c", "a/b.c", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
        // Nothing takes long.
        let text = "a".repeat(2000);
        assert!(!matches(
            "a*".repeat(100).as_bytes(),
            format!("{text}.b").as_bytes()
        ));
    }

    #[test]
    fn only_the_site_and_what_is_listed() {
        let redirects = Redirects {
            site_url: "https://hub.example/app".to_owned(),
            allowed: vec![
                "https://preview-*.hub.example/**".to_owned(),
                "hub://login".to_owned(),
            ],
        };
        for allowed in [
            "https://hub.example/elsewhere?a=b#c",
            "https://preview-12.hub.example/x",
            "hub://login",
            "hub://login#x",
        ] {
            assert_eq!(redirects.target(Some(allowed)), allowed);
        }
        for refused in [
            "https://hub.example.evil.org/",
            "https://hub.example@evil.org/",
            "https://hub.example:8443/",
            "http://hub.example/",
            "//evil.org",
            "javascript:alert(1)",
            "https://evil.org/?https://hub.example/",
            "https://preview-1.evil.org/.hub.example/x",
            "https://hub.example\\@evil.org",
            "https://hub.example/\n",
            "",
        ] {
            assert_eq!(
                redirects.target(Some(refused)),
                redirects.site_url,
                "{refused}"
            );
        }
        assert_eq!(redirects.target(None), redirects.site_url);
    }

    #[test]
    fn parameters_join_those_that_are_there() {
        let url = "https://a.example/x?y=1#z";
        assert_eq!(
            with_query(url, &[("code", "a b")]),
            "https://a.example/x?y=1&code=a%20b"
        );
        assert_eq!(
            with_fragment(url, &[("t", "a&b"), ("u", "")]),
            "https://a.example/x?y=1#t=a%26b&u="
        );
    }
}
