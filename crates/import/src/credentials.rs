//! What people signed in with: PBKDF2 of Hub-Lib becomes a PHC string, which `/auth/v1` verifies.

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Map, Value};

use crate::moment::{Moment, Told, told};
use crate::outcome::Reason;

const ITERATIONS: u32 = 10_000;
const HASH_BYTES: usize = 32;
/// The column has room for 255 characters.
const LONGEST_SALT: usize = 128;
/// What an earlier version gave to profiles without a password.
const RESET: &[u8] = b"reset";

/// A password, as its hash. It is never shown.
#[derive(Clone)]
pub(crate) struct Password {
    salt: String,
    hash: Vec<u8>,
}

/// An entry of the list of sign-ins.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) user: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) password: Password,
    pub(crate) created: Option<Moment>,
    /// When it was last used.
    pub(crate) used: Option<Moment>,
}

impl Credential {
    pub(crate) fn read(row: &Map<String, Value>) -> Result<Self, Reason> {
        let text = |name: &str| {
            let text = row.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let instant = |name: &str| match told(row.get(name).unwrap_or(&Value::Null)) {
            Told::Instant(moment) | Told::Local(moment) => Some(moment),
            Told::Nothing | Told::Nonsense => None,
        };
        let salt = text("salt").filter(|salt| salt.len() <= LONGEST_SALT);
        let hash = text("passwordHash").and_then(|hash| {
            let bytes = HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok()?;
            (bytes.len() == HASH_BYTES).then_some(bytes)
        });
        let (Some(salt), Some(hash)) = (salt, hash) else {
            return Err(Reason::NoHash);
        };
        let (user, email) = (text("userId"), text("email"));
        if user.is_none() && email.is_none() {
            return Err(Reason::Nobody);
        }
        Ok(Self {
            user: user.map(str::to_owned),
            email: email.map(str::to_owned),
            password: Password {
                salt: salt.to_owned(),
                hash,
            },
            created: instant("createdAt"),
            used: instant("lastLogin"),
        })
    }
}

impl Password {
    /// How `auth.users` keeps it. The salt is the text of the digits, not what they stand for.
    pub(crate) fn phc(&self) -> String {
        let salt = STANDARD_NO_PAD.encode(&self.salt);
        let hash = STANDARD_NO_PAD.encode(&self.hash);
        format!("$pbkdf2-sha256$i={ITERATIONS},l={HASH_BYTES}${salt}${hash}")
    }

    /// Whether it is the one that everybody has who had none.
    pub(crate) fn is_reset(&self) -> bool {
        let iterations = std::num::NonZeroU32::new(ITERATIONS);
        let salt = self.salt.as_bytes();
        iterations.is_some_and(|iterations| {
            pbkdf2::verify(
                pbkdf2::PBKDF2_HMAC_SHA256,
                iterations,
                salt,
                RESET,
                &self.hash,
            )
            .is_ok()
        })
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(row: Value) -> Result<Credential, Reason> {
        let Value::Object(row) = row else {
            panic!("no object");
        };
        Credential::read(&row)
    }

    #[test]
    fn a_hash_keeps_its_salt_as_text() {
        let credential = read(json!({
            "userId": "u", "email": "Ada@Example.org",
            "passwordHash": "522e14cece857e7456011a90367cb68ced0cf312e299ffcd07ace08514a52c47",
            "salt": "00112233445566778899aabbccddeeff",
        }))
        .unwrap();
        assert_eq!(
            credential.password.phc(),
            "$pbkdf2-sha256$i=10000,l=32$MDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiY2NkZGVlZmY\
            $Ui4Uzs6FfnRWARqQNny2jO0M8xLimf/NB6zghRSlLEc"
        );
        assert!(!credential.password.is_reset());
        assert_eq!(format!("{:?}", credential.password), "Password");
    }

    #[test]
    fn the_password_of_nobody_is_known() {
        let mut hash = [0; HASH_BYTES];
        let iterations = std::num::NonZeroU32::new(ITERATIONS).unwrap();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            b"ab",
            RESET,
            &mut hash,
        );
        let hash = HEXLOWER_PERMISSIVE.encode(&hash);
        let credential = read(json!({ "userId": "u", "passwordHash": hash, "salt": "ab" }));
        assert!(credential.unwrap().password.is_reset());
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for (hash, salt) in [
            ("", "ab"),
            ("secret", "ab"),
            ("00ff", "ab"),
            (
                "522e14cece857e7456011a90367cb68ced0cf312e299ffcd07ace08514a52c47",
                "",
            ),
        ] {
            let row = json!({ "userId": "u", "passwordHash": hash, "salt": salt });
            assert_eq!(read(row).unwrap_err(), Reason::NoHash);
        }
    }
}
