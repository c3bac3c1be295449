//! Passwords: what they must have, and how they are kept.

mod hash;
mod hasher;
mod rules;

pub use self::hasher::{HashCounts, Hasher};
pub(crate) use self::rules::Weakness;
pub use self::rules::{PasswordRules, RequiredCharacters};

/// What comparing a password with a hash has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is the one.
    Right {
        /// The hash is what would be made today.
        is_current: bool,
    },
    Wrong,
}
