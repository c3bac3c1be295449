//! Codes that change every thirty seconds (RFC 6238), as authenticator apps compute them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use data_encoding::BASE32_NOPAD;
use passerelle_identity::{Secret, UnixTime};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::QrCode;
use qrcode::render::svg;

/// Seconds that a code is shown.
const PERIOD: i64 = 30;
/// Codes before and after that of now that are taken, for clocks that go wrong.
const DRIFT: i64 = 1;
/// Bytes of a secret: as long as the digest (RFC 4226, section 4).
const SECRET: usize = 20;
/// What stored secrets begin with that are encrypted; those of Supabase are not.
const SEALED: &str = "sealed:";

/// Seals the secrets of factors, so that reading the database gives none.
pub(crate) struct FactorSecrets {
    key: Option<RandomizedNonceKey>,
}

/// The secret of a factor.
pub(crate) struct FactorSecret(Vec<u8>);

impl FactorSecrets {
    pub(crate) fn new(secret: &Secret) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        // Apart from what the secret signs otherwise.
        let derived = hmac::sign(&secret, b"passerelle factor secrets");
        Self {
            key: RandomizedNonceKey::new(&AES_256_GCM, derived.as_ref()).ok(),
        }
    }

    /// A secret that nobody can guess.
    pub(crate) fn make() -> Option<FactorSecret> {
        let mut bytes = vec![0; SECRET];
        rand::fill(&mut bytes).ok()?;
        Some(FactorSecret(bytes))
    }

    /// As it is stored, for one factor.
    pub(crate) fn seal(&self, secret: &FactorSecret, factor: &str) -> Option<String> {
        let mut sealed = secret.0.clone();
        let aad = Aad::from(factor.as_bytes());
        let key = self.key.as_ref()?;
        let nonce = key.seal_in_place_append_tag(aad, &mut sealed).ok()?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Some(format!("{SEALED}{}", STANDARD_NO_PAD.encode(bytes)))
    }

    /// A token of a provider as it is stored, for one flow.
    pub(crate) fn seal_token(&self, token: &str, flow: &str) -> Option<String> {
        self.seal(&FactorSecret(token.as_bytes().to_vec()), flow)
    }

    /// The token of a provider from what is stored.
    pub(crate) fn open_token(&self, stored: &str, flow: &str) -> Option<String> {
        let sealed = stored
            .starts_with(SEALED)
            .then(|| self.open(stored, flow))??;
        String::from_utf8(sealed.0).ok()
    }

    /// From what is stored.
    pub(crate) fn open(&self, stored: &str, factor: &str) -> Option<FactorSecret> {
        let Some(sealed) = stored.strip_prefix(SEALED) else {
            let plain = stored.trim_end_matches('=').to_ascii_uppercase();
            return BASE32_NOPAD.decode(plain.as_bytes()).ok().map(FactorSecret);
        };
        let mut bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(12)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(factor.as_bytes());
        let opened = self.key.as_ref()?.open_in_place(nonce, aad, sealed).ok()?;
        Some(FactorSecret(opened.to_vec()))
    }
}

impl FactorSecret {
    /// As people type it.
    pub(crate) fn text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As apps read it.
    pub(crate) fn uri(&self, issuer: &str, account: &str) -> String {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let (issuer, account, secret) = (encoded(issuer), encoded(account), self.text());
        format!(
            "otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits=6&issuer={issuer}&period={PERIOD}&secret={secret}"
        )
    }

    /// The number of the code, if it is one of about now.
    pub(crate) fn step_of(&self, code: &str, now: UnixTime) -> Option<i64> {
        let current = now.seconds() / PERIOD;
        let mut found = None;
        for step in current - DRIFT..=current + DRIFT {
            let known = self.code(step);
            if constant_time::verify_slices_are_equal(known.as_bytes(), code.trim().as_bytes())
                .is_ok()
            {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step (RFC 4226, section 5.3).
    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[tag.len() - 1] & 0xf);
        let mut number = [0; 4];
        number.copy_from_slice(&tag[at..at + 4]);
        let number = u32::from_be_bytes(number) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

/// A picture of a text that apps read, as SVG.
pub(crate) fn picture(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let mut picture = code.render::<svg::Color<'_>>();
    Some(picture.min_dimensions(200, 200).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_rfc_6238() {
        // Appendix B has eight digits; these are the last six.
        let secret = FactorSecret(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let now = UnixTime(seconds);
            assert_eq!(secret.step_of(code, now), Some(seconds / 30));
            assert_eq!(
                secret.step_of(code, UnixTime(seconds + 30)),
                Some(seconds / 30)
            );
            assert_eq!(secret.step_of(code, UnixTime(seconds + 90)), None);
        }
        assert_eq!(secret.step_of("", UnixTime(59)), None);
    }

    #[test]
    fn secrets_are_sealed_for_their_factor() {
        let secrets = FactorSecrets::new(&Secret::from(vec![7; 40]));
        let secret = FactorSecrets::make().unwrap();
        let sealed = secrets.seal(&secret, "a").unwrap();
        assert!(!sealed.contains(&secret.text()));
        assert_eq!(secrets.open(&sealed, "a").unwrap().0, secret.0);
        assert!(secrets.open(&sealed, "b").is_none());
        let others = FactorSecrets::new(&Secret::from(vec![8; 40]));
        assert!(others.open(&sealed, "a").is_none());
        assert_eq!(secrets.open(&secret.text(), "a").unwrap().0, secret.0);
        assert!(secrets.open("sealed:", "a").is_none());
        assert!(secrets.open("not base 32!", "a").is_none());
    }

    #[test]
    fn apps_can_read_it() {
        let secret = FactorSecret(b"12345678901234567890".to_vec());
        let uri = secret.uri("Hub Lib", "ada@example.com");
        assert_eq!(
            uri,
            "otpauth://totp/Hub%20Lib:ada%40example%2Ecom?algorithm=SHA1&digits=6&issuer=Hub%20Lib&period=30\
             &secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        assert!(picture(&uri).unwrap().contains("<svg"));
    }
}
