//! What is sent by mail: a code for people, a link for browsers. Both are computed from the id of the token,
//! so that neither is stored.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle_identity::Secret;
use uuid::Uuid;

use crate::seal::derived;

/// Codes have six digits.
const CODES: u64 = 1_000_000;

/// Computes codes and links.
pub(crate) struct OneTime {
    key: hmac::Key,
}

impl OneTime {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self {
            key: derived(secret, "passerelle one-time tokens"),
        }
    }

    /// The code of a token.
    pub(crate) fn code(&self, token: Uuid) -> String {
        let tag = self.tag(b"code", token);
        let mut first = [0; 8];
        first.copy_from_slice(&tag.as_ref()[..8]);
        format!("{:06}", u64::from_be_bytes(first) % CODES)
    }

    /// Whether this is the code of a token.
    pub(crate) fn is_code(&self, token: Uuid, code: &str) -> bool {
        let known = self.code(token);
        constant_time::verify_slices_are_equal(known.as_bytes(), code.trim().as_bytes()).is_ok()
    }

    /// What the link of a token holds.
    pub(crate) fn link(&self, token: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(b"link", token))
    }

    /// The code that a browser brings back to whoever asked for a link (RFC 7636).
    pub(crate) fn flow_code(&self, flow: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(b"flow", flow))
    }

    /// The state of a flow, for the browser that has a secret.
    pub(crate) fn state(&self, flow: Uuid, secret: &str) -> String {
        let mut state = flow.as_bytes().to_vec();
        state.extend_from_slice(self.bound(flow, secret).as_ref());
        URL_SAFE_NO_PAD.encode(state)
    }

    /// The flow of a state, if the browser is the one that it was made for.
    pub(crate) fn flow_of(&self, state: &str, secret: &str) -> Option<Uuid> {
        let state = URL_SAFE_NO_PAD.decode(state).ok()?;
        let (flow, tag) = state.split_at_checked(16)?;
        let flow = Uuid::from_slice(flow).ok()?;
        let known = self.bound(flow, secret);
        constant_time::verify_slices_are_equal(known.as_ref(), tag).ok()?;
        Some(flow)
    }

    fn bound(&self, flow: Uuid, secret: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"state");
        context.update(flow.as_bytes());
        context.update(secret.as_bytes());
        context.sign()
    }

    /// What ties an ID token to a flow.
    pub(crate) fn nonce(&self, flow: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(b"nonce", flow))
    }

    /// What a provider is shown that was told the challenge (RFC 7636).
    pub(crate) fn verifier(&self, flow: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(b"verifier", flow))
    }

    fn tag(&self, purpose: &[u8], token: Uuid) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose);
        context.update(token.as_bytes());
        context.sign()
    }
}

/// What is stored of a link or a code, to find it by.
pub(crate) fn digest_of(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let mut digits = String::with_capacity(64);
    for byte in digest.as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The challenge that a verifier answers, by the method S256.
pub(crate) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Whether a verifier answers a challenge (RFC 7636, section 4.6).
pub(crate) fn answers(challenge: &str, method: &str, verifier: &str) -> bool {
    let answer = match method {
        "s256" => challenge_of(verifier),
        _ => verifier.to_owned(),
    };
    constant_time::verify_slices_are_equal(answer.as_bytes(), challenge.as_bytes()).is_ok()
}

/// An id that nobody can guess.
pub(crate) fn random_id() -> Result<Uuid, crate::error::AuthError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| crate::error::AuthError::Answer("no random numbers"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_links_belong_to_their_token() {
        let one = OneTime::new(&Secret::from(vec![7; 40]));
        let (a, b) = (random_id().unwrap(), random_id().unwrap());
        assert!(one.is_code(a, &one.code(a)));
        assert!(one.is_code(a, &format!(" {}\n", one.code(a))));
        assert!(!one.is_code(a, ""));
        assert_eq!(one.code(a).len(), 6);
        assert_ne!(one.link(a), one.link(b));
        assert_ne!(one.link(a), one.flow_code(a));
        let other = OneTime::new(&Secret::from(vec![8; 40]));
        assert_ne!(one.link(a), other.link(a));
        assert_eq!(digest_of("abc").len(), 64);
    }

    #[test]
    fn a_state_is_of_one_flow_and_one_browser() {
        let one = OneTime::new(&Secret::from(vec![7; 40]));
        let flow = random_id().unwrap();
        let state = one.state(flow, "cookie");
        assert_eq!(one.flow_of(&state, "cookie"), Some(flow));
        assert_eq!(one.flow_of(&state, "another"), None);
        assert_eq!(one.flow_of(&state[..20], "cookie"), None);
        assert_eq!(one.flow_of("", "cookie"), None);
        let other = one.state(random_id().unwrap(), "cookie");
        let mixed = format!("{}{}", &state[..21], &other[21..]);
        assert_eq!(one.flow_of(&mixed, "cookie"), None);
    }

    #[test]
    fn challenges_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(answers(challenge, "s256", verifier));
        assert!(!answers(challenge, "plain", verifier));
        assert!(!answers(challenge, "s256", "another"));
        assert!(answers("same", "plain", "same"));
    }
}
