//! Why a request has no principal, and how each reason reads on the wire.
//!
//! Codes, statuses and texts are those of PostgREST's group 3 (JWT) errors.

use std::borrow::Cow;

/// A credential was refused, or one was needed and absent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A token was sent but no key to verify it with is configured.
    #[error("Server lacks JWT secret")]
    SecretMissing,
    /// The token is malformed or its signature does not verify.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Neither the request nor the configuration names a role.
    #[error("Anonymous access is disabled")]
    AnonymousDisabled,
    /// The signature verifies, but the claims do not allow the request.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// An opaque API key that is not configured.
    #[error("Invalid API key")]
    UnknownApiKey,
}

/// A token that could not be turned into claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The Bearer scheme without a token behind it.
    #[error("Empty JWT is sent in Authorization header")]
    Empty,
    /// A compact JWS has three parts; this many were found.
    #[error("Expected 3 parts in JWT; got {0}")]
    UnexpectedParts(usize),
    /// No configured key fits the token's `kid` and `alg`.
    #[error("No suitable key or wrong key type")]
    NoSuitableKey,
    /// Keys fit, but none of them verifies the signature.
    #[error("No suitable key or wrong key type")]
    BadSignature,
    /// The token declares `alg: none`.
    #[error("Wrong or unsupported encoding algorithm")]
    Unsecured,
    /// Broken base64, a broken header, or an algorithm unknown to us.
    #[error("JWT cryptographic operation failed")]
    Malformed,
}

/// Claims that were read but do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// `exp` lies further back than the allowed clock skew.
    #[error("JWT expired")]
    Expired,
    /// `nbf` lies further ahead than the allowed clock skew.
    #[error("JWT not yet valid")]
    NotYetValid,
    /// `iat` lies further ahead than the allowed clock skew.
    #[error("JWT issued at future")]
    IssuedAtFuture,
    /// `aud` names other audiences than the configured one.
    #[error("JWT not in audience")]
    NotInAudience,
    /// The payload is not a JSON object.
    #[error("Parsing claims failed")]
    NotAnObject,
    /// `exp` is not a number.
    #[error("The JWT 'exp' claim must be a number")]
    ExpNotNumber,
    /// `nbf` is not a number.
    #[error("The JWT 'nbf' claim must be a number")]
    NbfNotNumber,
    /// `iat` is not a number.
    #[error("The JWT 'iat' claim must be a number")]
    IatNotNumber,
    /// `aud` is neither a string nor an array of strings.
    #[error("The JWT 'aud' claim must be a string or an array of strings")]
    AudNotStringOrArray,
}

impl TokenError {
    /// The error code of the JSON body.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SecretMissing => "PGRST300",
            Self::Decode(_) | Self::UnknownApiKey => "PGRST301",
            Self::AnonymousDisabled => "PGRST302",
            Self::Claims(_) => "PGRST303",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::SecretMissing => 500,
            Self::Decode(_) | Self::AnonymousDisabled | Self::Claims(_) | Self::UnknownApiKey => {
                401
            }
        }
    }

    /// The `message` of the JSON body.
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }

    /// The `details` of the JSON body.
    pub fn details(&self) -> Option<&'static str> {
        match self {
            Self::Decode(DecodeError::NoSuitableKey) => {
                Some("No suitable key was found to decode the JWT")
            }
            Self::Decode(DecodeError::BadSignature) => {
                Some("None of the keys was able to decode the JWT")
            }
            Self::Decode(DecodeError::Unsecured) => {
                Some("JWT is unsecured but expected 'alg' was not 'none'")
            }
            _ => None,
        }
    }

    /// The `hint` of the JSON body.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownApiKey => Some("Double check your API key."),
            _ => None,
        }
    }

    /// The value of the `WWW-Authenticate` header (RFC 6750 section 3), if one belongs there.
    pub fn www_authenticate(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::SecretMissing => None,
            Self::AnonymousDisabled => Some(Cow::Borrowed("Bearer")),
            Self::Decode(_) | Self::Claims(_) | Self::UnknownApiKey => Some(Cow::Owned(format!(
                "Bearer error=\"invalid_token\", error_description=\"{self}\""
            ))),
        }
    }
}
