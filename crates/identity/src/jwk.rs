//! One JSON Web Key (RFC 7517) as configured, turned into a key that verifies signatures.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::keys::Key;
use crate::weakness;

/// Smallest RSA modulus that verifies anything, in bytes (2048 bits, RFC 7518 section 3.3).
const MIN_RSA_MODULUS_BYTES: usize = 256;

/// A JWK that names a known key type but cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwkError {
    /// A member has the wrong JSON type.
    #[error("a key has a malformed member")]
    Member(#[source] serde_json::Error),
    /// The key type requires a member that is absent.
    #[error("a key of type {kty} lacks member {member:?}")]
    MissingMember {
        /// The `kty` of the key.
        kty: &'static str,
        /// The absent member.
        member: &'static str,
    },
    /// A member is not unpadded base64url.
    #[error("member {member:?} of a key is not base64url")]
    NotBase64 {
        /// The offending member.
        member: &'static str,
        /// What is wrong with it.
        #[source]
        source: base64::DecodeError,
    },
    /// A member decodes to a number of bytes that cannot be right.
    #[error("member {member:?} of a key has {bytes} bytes, which its type does not allow")]
    WrongLength {
        /// The offending member.
        member: &'static str,
        /// The number of bytes found.
        bytes: usize,
    },
}

/// The members of a JWK that matter for verifying; private ones are left unread.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

/// Reads one JWK; `None` if its type, curve or algorithm is none of ours, so that a key set with
/// keys for other purposes stays usable.
pub(crate) fn read(json: &Value) -> Result<Option<Key>, JwkError> {
    let Some("RSA" | "EC" | "OKP" | "oct") = json.get("kty").and_then(Value::as_str) else {
        return Ok(None);
    };
    let jwk = Jwk::deserialize(json).map_err(JwkError::Member)?;
    let Some((material, all)) = jwk.material()? else {
        return Ok(None);
    };
    let algorithms = match jwk.alg.as_deref().map(str::parse) {
        None => all.to_vec(),
        Some(Ok(pinned)) if all.contains(&pinned) => vec![pinned],
        Some(_) => return Ok(None),
    };
    if jwk.usage.as_deref() == Some("enc") {
        return Ok(None);
    }
    let (decoding, weakness) = match material {
        Material::Public(decoding) => {
            (decoding, jwk.x.as_deref().and_then(weakness::of_public_key))
        }
        Material::Shared(bytes) => (
            DecodingKey::from_secret(&bytes),
            weakness::of_secret(&bytes),
        ),
    };
    Ok(Some(Key {
        id: jwk.kid,
        algorithms,
        decoding,
        weakness,
    }))
}

enum Material {
    Public(DecodingKey),
    Shared(Vec<u8>),
}

impl Jwk {
    /// The key itself with the algorithms its type and curve allow. An RSA key can never verify an
    /// HMAC, nor one curve the signatures of another.
    fn material(&self) -> Result<Option<(Material, &'static [Algorithm])>, JwkError> {
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (Material::Public(self.rsa()?), &RSA[..]),
            ("oct", _) => (Material::Shared(self.oct()?), &HMAC[..]),
            ("EC", Some("P-256")) => (Material::Public(self.ec(32)?), &[Algorithm::ES256][..]),
            ("EC", Some("P-384")) => (Material::Public(self.ec(48)?), &[Algorithm::ES384][..]),
            ("OKP", Some("Ed25519")) => (Material::Public(self.okp()?), &[Algorithm::EdDSA][..]),
            ("EC", None) => {
                return Err(JwkError::MissingMember {
                    kty: "EC",
                    member: "crv",
                });
            }
            ("OKP", None) => {
                return Err(JwkError::MissingMember {
                    kty: "OKP",
                    member: "crv",
                });
            }
            _ => return Ok(None),
        };
        Ok(Some(material))
    }

    fn rsa(&self) -> Result<DecodingKey, JwkError> {
        let modulus = bytes("RSA", "n", self.n.as_deref())?;
        let exponent = bytes("RSA", "e", self.e.as_deref())?;
        let (modulus, exponent) = (significant(&modulus), significant(&exponent));
        if modulus.len() < MIN_RSA_MODULUS_BYTES {
            return Err(JwkError::WrongLength {
                member: "n",
                bytes: modulus.len(),
            });
        }
        Ok(DecodingKey::from_rsa_raw_components(modulus, exponent))
    }

    fn oct(&self) -> Result<Vec<u8>, JwkError> {
        let key = bytes("oct", "k", self.k.as_deref())?;
        if key.is_empty() {
            return Err(JwkError::WrongLength {
                member: "k",
                bytes: 0,
            });
        }
        Ok(key)
    }

    /// The uncompressed point (SEC 1 section 2.3.3) of coordinates `size` bytes long.
    fn ec(&self, size: usize) -> Result<DecodingKey, JwkError> {
        let mut point = vec![4];
        for (member, text) in [("x", &self.x), ("y", &self.y)] {
            let coordinate = bytes("EC", member, text.as_deref())?;
            if coordinate.len() != size {
                return Err(JwkError::WrongLength {
                    member,
                    bytes: coordinate.len(),
                });
            }
            point.extend_from_slice(&coordinate);
        }
        Ok(DecodingKey::from_ec_der(&point))
    }

    fn okp(&self) -> Result<DecodingKey, JwkError> {
        let point = bytes("OKP", "x", self.x.as_deref())?;
        if point.len() != 32 {
            return Err(JwkError::WrongLength {
                member: "x",
                bytes: point.len(),
            });
        }
        Ok(DecodingKey::from_ed_der(&point))
    }
}

const HMAC: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn bytes(kty: &'static str, member: &'static str, text: Option<&str>) -> Result<Vec<u8>, JwkError> {
    let text = text.ok_or(JwkError::MissingMember { kty, member })?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|source| JwkError::NotBase64 { member, source })
}

/// A big-endian number without its leading zero bytes, which some key generators leave in.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
