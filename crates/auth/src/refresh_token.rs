//! Refresh tokens: the session they belong to and their number in it, authenticated.
//!
//! Nothing of a token is stored but the number of the last one, so that whoever reads the database
//! cannot make one. That a number was used before is seen by the number alone.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle_identity::Secret;
use uuid::Uuid;

use crate::seal::derived;

/// First byte of all tokens made here.
const VERSION: u8 = 1;
/// Version, session and number.
const BODY: usize = 1 + 16 + 8;
/// The tag of HMAC-SHA256.
const TAG: usize = 32;

/// Makes and reads refresh tokens.
pub(crate) struct RefreshTokens {
    key: hmac::Key,
}

/// What a client brought as a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RefreshToken<'a> {
    /// One of ours.
    Own {
        /// The session.
        session: Uuid,
        /// Its number.
        number: i64,
    },
    /// Perhaps one that came along from Supabase.
    Foreign(&'a str),
}

impl RefreshTokens {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self {
            key: derived(secret, "passerelle refresh tokens"),
        }
    }

    pub(crate) fn issue(&self, session: Uuid, number: i64) -> String {
        let mut token = [0; BODY + TAG];
        token[0] = VERSION;
        token[1..17].copy_from_slice(session.as_bytes());
        token[17..BODY].copy_from_slice(&number.to_be_bytes());
        let tag = hmac::sign(&self.key, &token[..BODY]);
        token[BODY..].copy_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    pub(crate) fn read<'a>(&self, token: &'a str) -> RefreshToken<'a> {
        self.own(token).unwrap_or(RefreshToken::Foreign(token))
    }

    fn own(&self, token: &str) -> Option<RefreshToken<'static>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let bytes: [u8; BODY + TAG] = bytes.try_into().ok()?;
        let (body, tag) = bytes.split_at(BODY);
        hmac::verify(&self.key, body, tag).ok()?;
        let session = Uuid::from_slice(&body[1..17]).ok()?;
        let number = i64::from_be_bytes(body[17..].try_into().ok()?);
        (body[0] == VERSION).then_some(RefreshToken::Own { session, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_issued_is_read() {
        let tokens = RefreshTokens::new(&Secret::from(vec![7; 40]));
        let session = Uuid::from_bytes([9; 16]);
        let token = tokens.issue(session, 3);
        let number = 3;
        assert_eq!(tokens.read(&token), RefreshToken::Own { session, number });
        let others = RefreshTokens::new(&Secret::from(vec![8; 40]));
        assert_eq!(others.read(&token), RefreshToken::Foreign(&token));
        for at in 0..token.len() - 1 {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.read(&changed), RefreshToken::Foreign(&changed));
        }
        assert_eq!(
            tokens.read("x7Qp2kd93hs0"),
            RefreshToken::Foreign("x7Qp2kd93hs0")
        );
    }
}
