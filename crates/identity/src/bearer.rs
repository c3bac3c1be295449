//! The `Authorization` header, as far as tokens are concerned (RFC 6750 section 2.1).

/// The token of a Bearer `Authorization` value; the scheme's case does not matter.
///
/// `None` for other schemes, which are nobody's business here. `Some` of nothing for the bare
/// scheme, which is a broken credential rather than an absent one.
pub fn bearer_token(authorization: &[u8]) -> Option<&[u8]> {
    let end = authorization.iter().position(u8::is_ascii_whitespace);
    let (scheme, rest) = authorization.split_at(end.unwrap_or(authorization.len()));
    scheme
        .eq_ignore_ascii_case(b"bearer")
        .then(|| rest.trim_ascii_start())
}
