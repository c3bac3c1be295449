//! Hashes of passwords: made with Argon2id, compared with whatever an account brought along.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Checked;

/// Memory in KiB, passes and lanes: OWASP's recommendation for Argon2id.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// What a hash that was brought along may cost: twelve times ours.
const MOST_MEMORY: u32 = 128 * 1024;
const MOST_PASSES: u32 = 4;
/// Of bcrypt; each more doubles the work.
const MOST_COST: u32 = 14;
/// Of PBKDF2.
const MOST_ITERATIONS: u32 = 1_000_000;
/// The password that an earlier version of Hub-Lib gave to accounts without one.
const RESET: &str = "reset";

/// The hash to keep of a password; none if the system has no random numbers.
pub(super) fn make(password: &str) -> Option<String> {
    let hash = argon2()?.hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Compares a password with a hash in the form of Argon2, bcrypt or PBKDF2 (PHC strings).
pub(super) fn check(password: &str, hash: &str) -> Checked {
    let (is_right, is_current) = if hash.starts_with("$argon2") {
        is_argon2(password, hash)
    } else if hash.starts_with("$2") {
        (is_bcrypt(password, hash), false)
    } else if let Some(rest) = hash.strip_prefix("$pbkdf2-sha256$") {
        let is_right = is_pbkdf2(password, rest).unwrap_or(false);
        (is_right && password != RESET, false)
    } else {
        (false, false)
    };
    if is_right {
        Checked::Right { is_current }
    } else {
        Checked::Wrong
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether it is the one, and whether the hash is as ours are.
fn is_argon2(password: &str, hash: &str) -> (bool, bool) {
    let Ok(hash) = PasswordHash::new(hash) else {
        return (false, false);
    };
    let Ok(params) = Params::try_from(&hash) else {
        return (false, false);
    };
    if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES {
        return (false, false);
    }
    let is_right = Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok();
    let is_current = hash.algorithm.as_str() == "argon2id"
        && (params.m_cost(), params.t_cost()) == (MEMORY, PASSES);
    (is_right, is_current)
}

fn is_bcrypt(password: &str, hash: &str) -> bool {
    let cost = hash.split('$').nth(2).and_then(|cost| cost.parse().ok());
    cost.is_some_and(|cost: u32| cost <= MOST_COST)
        && bcrypt::verify(password, hash).unwrap_or(false)
}

/// `i=10000[,l=32]$salt$hash`, both in base64 without padding.
fn is_pbkdf2(password: &str, rest: &str) -> Option<bool> {
    let mut parts = rest.split('$');
    let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut params = params.split(',');
    let iterations: u32 = params
        .find_map(|param| param.strip_prefix("i="))?
        .parse()
        .ok()?;
    if iterations > MOST_ITERATIONS {
        return None;
    }
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let hash = STANDARD_NO_PAD.decode(hash).ok()?;
    let iterations = std::num::NonZeroU32::new(iterations)?;
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    let verified = pbkdf2::verify(algorithm, iterations, &salt, password.as_bytes(), &hash);
    Some(!hash.is_empty() && verified.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Checked = Checked::Right { is_current: false };

    #[test]
    fn a_hash_is_known_again() {
        let hash = make("correct horse").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let right = Checked::Right { is_current: true };
        assert_eq!(check("correct horse", &hash), right);
        assert_eq!(check("Correct horse", &hash), Checked::Wrong);
        assert_ne!(make("correct horse").unwrap(), hash);
    }

    #[test]
    fn hashes_of_elsewhere_are_taken_and_are_not_current() {
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        assert_eq!(check("secret", &bcrypt), OTHER);
        assert_eq!(check("Secret", &bcrypt), Checked::Wrong);
        let params = Params::new(64, 1, 1, None).unwrap();
        let cheap = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
        let cheap = cheap.hash_password(b"secret").unwrap().to_string();
        assert_eq!(check("secret", &cheap), OTHER);
    }

    #[test]
    fn hub_libs_legacy_hashes() {
        // The salt is the text of the digits, not what they stand for.
        let salt = STANDARD_NO_PAD.encode("00112233445566778899aabbccddeeff");
        let digits = "522e14cece857e7456011a90367cb68ced0cf312e299ffcd07ace08514a52c47";
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let hash: Vec<u8> = (0..64).step_by(2).map(byte).collect();
        let hash = format!(
            "$pbkdf2-sha256$i=10000,l=32${salt}${}",
            STANDARD_NO_PAD.encode(hash)
        );
        assert_eq!(check("StrongPass123!", &hash), OTHER);
        assert_eq!(check("StrongPass123", &hash), Checked::Wrong);
        let mut reset = [0; 32];
        let iterations = std::num::NonZeroU32::new(10_000).unwrap();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            b"salt",
            b"reset",
            &mut reset,
        );
        let reset = format!(
            "$pbkdf2-sha256$i=10000${}${}",
            STANDARD_NO_PAD.encode("salt"),
            STANDARD_NO_PAD.encode(reset)
        );
        assert_eq!(check("reset", &reset), Checked::Wrong);
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_wrong() {
        for hash in [
            "",
            "secret",
            "$2b$",
            "$2b$31$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$",
            "$argon2id$v=19$m=4000000,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$pbkdf2-sha256$i=0$c2FsdA$AAAA",
            "$pbkdf2-sha256$i=4000000000$c2FsdA$AAAA",
            "$pbkdf2-sha256$i=1$c2FsdA$",
        ] {
            assert_eq!(check("secret", hash), Checked::Wrong, "{hash}");
        }
    }
}
