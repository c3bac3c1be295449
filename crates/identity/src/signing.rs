//! Keys that access tokens are signed with and that everybody may verify with the public half.
//!
//! A set holds the key that signs now (`"status": "current"`), the one that is going to (`"next"`), so that whoever
//! keeps public keys knows it in time, and those that signed before (`"retired"`), whose tokens stay good.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::mint::SigningKey;
use crate::secret::Secret;

/// Members of a JWK that nobody else may see (RFC 7518, sections 6.2.2 and 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];
/// Bytes of a coordinate of P-256.
const COORDINATE: usize = 32;

/// A set of keys that cannot be used.
#[derive(Debug, Error)]
pub enum SigningKeysError {
    /// It is no JSON of this form.
    #[error(
        "signing keys should be {{\"keys\": [ … ]}}, each a JWK with kid, status and its private members"
    )]
    Form,
    /// A key cannot be used.
    #[error("the signing key {kid:?} cannot be used: {reason}")]
    Key {
        /// Which.
        kid: String,
        /// Why.
        reason: &'static str,
    },
    /// There is no key to sign with, or several.
    #[error("one signing key should have the status \"current\"")]
    Current,
}

/// The keys of a deployment; see the module's description.
pub struct SigningKeys {
    current: SigningKey,
    public: Vec<Value>,
}

impl SigningKeys {
    /// Reads a set.
    ///
    /// # Errors
    /// [`SigningKeysError`]
    pub fn parse(text: &Secret) -> Result<Self, SigningKeysError> {
        let set: Value =
            serde_json::from_slice(text.expose()).map_err(|_| SigningKeysError::Form)?;
        let keys = set.get("keys").and_then(Value::as_array);
        let mut current = None;
        let mut public = Vec::new();
        for key in keys.ok_or(SigningKeysError::Form)? {
            let key = key.as_object().ok_or(SigningKeysError::Form)?;
            let status = member(key, "status").unwrap_or_default();
            if !matches!(status, "current" | "next" | "retired") {
                return Err(unusable(
                    key,
                    "its status is none of current, next, retired",
                ));
            }
            public.push(public_half(key)?);
            // All but those that only verify from now on are tried.
            if status == "retired" {
                continue;
            }
            let signing = signing_key(key)?;
            if status == "current" && current.replace(signing).is_some() {
                return Err(SigningKeysError::Current);
            }
        }
        Ok(Self {
            current: current.ok_or(SigningKeysError::Current)?,
            public,
        })
    }

    /// The public halves, as JWKs.
    pub fn public(&self) -> &[Value] {
        &self.public
    }

    /// The key that signs.
    pub fn into_current(self) -> SigningKey {
        self.current
    }

    /// A set after a change of keys: the next one signs, and another is next. Without one before, a set with both.
    /// `kids` are the names of keys that are made; at most `kept` keys that signed before are kept.
    ///
    /// # Errors
    /// [`SigningKeysError`] for a set that cannot be used, and when no key can be made.
    pub fn rotate(
        before: Option<&Secret>,
        kids: [&str; 2],
        kept: usize,
    ) -> Result<String, SigningKeysError> {
        let mut keys: Vec<Map<String, Value>> = match before {
            None => Vec::new(),
            Some(text) => {
                Self::parse(text)?;
                let set: Value =
                    serde_json::from_slice(text.expose()).map_err(|_| SigningKeysError::Form)?;
                let keys = set.get("keys").and_then(Value::as_array).cloned();
                let keys = keys.unwrap_or_default().into_iter();
                keys.filter_map(|key| key.as_object().cloned()).collect()
            }
        };
        for key in &mut keys {
            let status = match member(key, "status") {
                Some("next") => "current",
                _ => "retired",
            };
            key.insert("status".to_owned(), status.into());
            if status == "retired" {
                for name in PRIVATE {
                    key.remove(name);
                }
            }
        }
        let has_current = keys
            .iter()
            .any(|key| member(key, "status") == Some("current"));
        let made: &[(&str, &str)] = if has_current {
            &[(kids[0], "next")]
        } else {
            &[(kids[0], "current"), (kids[1], "next")]
        };
        for (kid, status) in made {
            keys.insert(0, generate(kid, status)?);
        }
        let mut left = kept;
        keys.retain(|key| {
            if member(key, "status") != Some("retired") {
                return true;
            }
            let stays = left > 0;
            left = left.saturating_sub(1);
            stays
        });
        serde_json::to_string_pretty(&json!({ "keys": keys })).map_err(|_| SigningKeysError::Form)
    }
}

fn generate(kid: &str, status: &str) -> Result<Map<String, Value>, SigningKeysError> {
    let failed = |reason| SigningKeysError::Key {
        kid: kid.to_owned(),
        reason,
    };
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .map_err(|_| failed("it cannot be made"))?;
    let private = pair
        .private_key()
        .as_be_bytes()
        .map_err(|_| failed("it cannot be written"))?;
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(COORDINATE);
    let text = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let mut key = Map::new();
    for (name, value) in [
        ("kid", kid.into()),
        ("status", status.into()),
        ("kty", "EC".into()),
        ("crv", "P-256".into()),
        ("alg", "ES256".into()),
        ("use", "sig".into()),
        ("x", text(x)),
        ("y", text(y)),
        ("d", text(private.as_ref())),
    ] {
        key.insert(name.to_owned(), value);
    }
    Ok(key)
}

fn member<'k>(key: &'k Map<String, Value>, name: &str) -> Option<&'k str> {
    key.get(name).and_then(Value::as_str)
}

fn unusable(key: &Map<String, Value>, reason: &'static str) -> SigningKeysError {
    SigningKeysError::Key {
        kid: member(key, "kid").unwrap_or_default().to_owned(),
        reason,
    }
}

/// What everybody may see, with the algorithm that it is for.
fn public_half(key: &Map<String, Value>) -> Result<Value, SigningKeysError> {
    if member(key, "kid").is_none_or(str::is_empty) {
        return Err(unusable(key, "it has no kid"));
    }
    let algorithm = match (member(key, "kty"), member(key, "crv")) {
        (Some("EC"), Some("P-256")) => "ES256",
        (Some("RSA"), _) => "RS256",
        _ => return Err(unusable(key, "it is neither of P-256 nor RSA")),
    };
    let mut public = key.clone();
    for name in PRIVATE.into_iter().chain(["status", "key_ops"]) {
        public.remove(name);
    }
    public.insert("alg".to_owned(), algorithm.into());
    public.insert("use".to_owned(), "sig".into());
    let public = Value::Object(public);
    match crate::jwk::read(&public) {
        Ok(Some(_)) => Ok(public),
        _ => Err(unusable(key, "its public members are wrong")),
    }
}

fn signing_key(key: &Map<String, Value>) -> Result<SigningKey, SigningKeysError> {
    let bytes = |name| {
        let text = member(key, name).ok_or_else(|| unusable(key, "a private member is missing"))?;
        let decoded = URL_SAFE_NO_PAD.decode(text);
        decoded.map_err(|_| unusable(key, "a member is not base64url"))
    };
    let kid = member(key, "kid").unwrap_or_default();
    if member(key, "kty") == Some("EC") {
        let point = [&[4][..], &bytes("x")?, &bytes("y")?].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &bytes("d")?,
            &point,
        );
        let pair = pair.map_err(|_| unusable(key, "its halves do not fit"))?;
        return Ok(SigningKey::es256(kid, pair));
    }
    // RSAPrivateKey (RFC 8017, appendix A.1.2).
    let mut numbers = vec![vec![0]];
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        numbers.push(bytes(name)?);
    }
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| integer(number)).collect();
    let der = [&[0x30][..], &length(numbers.len()), &numbers].concat();
    let pair = RsaKeyPair::from_der(&der).map_err(|_| unusable(key, "its members do not fit"))?;
    Ok(SigningKey::rs256(kid, pair))
}

/// INTEGER of DER, not negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let start = number
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(number.len());
    let number = &number[start..];
    let is_negative = number.first().is_none_or(|byte| byte & 0x80 != 0);
    let sign: &[u8] = if is_negative { &[0] } else { &[] };
    [&[2][..], &length(sign.len() + number.len()), sign, number].concat()
}

/// Length of DER.
fn length(bytes: usize) -> Vec<u8> {
    let big = bytes.to_be_bytes();
    let start = big
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(big.len() - 1);
    let digits = &big[start..];
    match digits {
        [one] if *one < 0x80 => vec![*one],
        // A length has fewer bytes than there are in an address.
        _ => [
            &[0x80 | u8::try_from(digits.len()).unwrap_or(8)][..],
            digits,
        ]
        .concat(),
    }
}
