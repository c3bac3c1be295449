//! What a password must have.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::error::AuthError;

/// Longer ones are refused, so that nobody has work done by sending one.
const LONGEST: usize = 256;

/// What passwords must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters at least.
    pub min_length: usize,
    /// At least one of each.
    pub required: Vec<RequiredCharacters>,
}

/// A class of characters, of those that ASCII has.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RequiredCharacters {
    /// `a` to `z`
    Lower,
    /// `A` to `Z`
    Upper,
    /// `0` to `9`
    Digit,
    /// Anything that is neither a letter nor a digit of ASCII.
    Symbol,
}

/// What a password lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Weakness {
    /// All of it, as sentences.
    pub(crate) message: String,
    /// `length`, `characters`
    pub(crate) reasons: Vec<&'static str>,
}

impl PasswordRules {
    /// Refuses what nobody can mean as a password.
    pub(crate) fn check_length(password: &str) -> Result<(), AuthError> {
        if password.len() > LONGEST {
            return Err(AuthError::Invalid(
                "Password cannot be longer than 256 characters",
            ));
        }
        Ok(())
    }

    /// All that a password lacks.
    pub(crate) fn weakness(&self, password: &str) -> Option<Weakness> {
        let mut weakness = Weakness {
            message: String::new(),
            reasons: Vec::new(),
        };
        if password.chars().count() < self.min_length {
            weakness.reasons.push("length");
            let least = self.min_length;
            let _ = write!(
                weakness.message,
                "Password should be at least {least} characters."
            );
        }
        let missing = self.required.iter().filter(|class| !class.is_in(password));
        let missing: Vec<&str> = missing.map(|class| class.name()).collect();
        if !missing.is_empty() {
            weakness.reasons.push("characters");
            if !weakness.message.is_empty() {
                weakness.message.push(' ');
            }
            let missing = missing.join(", ");
            let _ = write!(
                weakness.message,
                "Password should contain at least one character of each: {missing}."
            );
        }
        (!weakness.reasons.is_empty()).then_some(weakness)
    }
}

impl RequiredCharacters {
    fn is_in(self, password: &str) -> bool {
        password.chars().any(|c| match self {
            Self::Lower => c.is_ascii_lowercase(),
            Self::Upper => c.is_ascii_uppercase(),
            Self::Digit => c.is_ascii_digit(),
            Self::Symbol => !c.is_ascii_alphanumeric(),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lower => "a lower-case letter",
            Self::Upper => "an upper-case letter",
            Self::Digit => "a digit",
            Self::Symbol => "a symbol",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_reasons_are_told_at_once() {
        use RequiredCharacters::{Digit, Lower, Symbol, Upper};
        let rules = PasswordRules {
            min_length: 8,
            required: vec![Lower, Upper, Digit, Symbol],
        };
        let weakness = rules.weakness("short").unwrap();
        assert_eq!(weakness.reasons, ["length", "characters"]);
        assert_eq!(
            weakness.message,
            "Password should be at least 8 characters. Password should contain at least one character of each: \
             an upper-case letter, a digit, a symbol."
        );
        assert_eq!(rules.weakness("StrongPass123!"), None);
        assert_eq!(rules.weakness("Pässwort1"), None);
        assert!(PasswordRules::check_length(&"a".repeat(257)).is_err());
    }
}
