//! Codes that change every thirty seconds (RFC 6238), as authenticator apps compute them.

use aws_lc_rs::{constant_time, hmac, rand};
use data_encoding::BASE32_NOPAD;
use passerelle_identity::UnixTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::QrCode;
use qrcode::render::svg;

use crate::seal::Seals;

/// Seconds that a code is shown.
const PERIOD: i64 = 30;
/// Codes before and after that of now that are taken, for clocks that go wrong.
const DRIFT: i64 = 1;
/// Bytes of a secret: as long as the digest (RFC 4226, section 4).
const SECRET: usize = 20;

/// The secret of a factor.
pub(crate) struct FactorSecret(Vec<u8>);

impl FactorSecret {
    /// A secret that nobody can guess.
    pub(crate) fn make() -> Option<Self> {
        let mut bytes = vec![0; SECRET];
        rand::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As it is stored, for one factor.
    pub(crate) fn seal(&self, seals: &Seals, factor: &str) -> Option<String> {
        seals.seal(&self.0, factor)
    }

    /// From what is stored; those that came along from Supabase are not sealed.
    pub(crate) fn open(stored: &str, seals: &Seals, factor: &str) -> Option<Self> {
        let plain = || {
            let text = stored.trim_end_matches('=').to_ascii_uppercase();
            BASE32_NOPAD.decode(text.as_bytes()).ok()
        };
        seals.open(stored, factor).or_else(plain).map(Self)
    }

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
    use passerelle_identity::Secret;

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
        let seals = Seals::new(&Secret::from(vec![7; 40]));
        let secret = FactorSecret::make().unwrap();
        let sealed = secret.seal(&seals, "a").unwrap();
        assert!(!sealed.contains(&secret.text()));
        let open = |stored: &str, factor| FactorSecret::open(stored, &seals, factor);
        assert_eq!(open(&sealed, "a").unwrap().0, secret.0);
        assert!(open(&sealed, "b").is_none());
        let others = Seals::new(&Secret::from(vec![8; 40]));
        assert!(FactorSecret::open(&sealed, &others, "a").is_none());
        assert_eq!(open(&secret.text(), "a").unwrap().0, secret.0);
        assert!(open("sealed:", "a").is_none());
        assert!(open("not base 32!", "a").is_none());
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
