//! Claims of a verified token: reading them, and whether they hold now.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::ClaimsError;
use crate::time::UnixTime;

/// Clock difference between issuer and us that is forgiven, in seconds.
const ALLOWED_SKEW: i64 = 30;

/// The payload as a JSON object.
pub(crate) fn read(payload: &[u8]) -> Result<Map<String, Value>, ClaimsError> {
    serde_json::from_slice(payload).map_err(|_| ClaimsError::NotAnObject)
}

/// The payload's JSON text with `role` as its top-level role. Other members keep their very text,
/// so that numbers beyond double precision reach SQL unharmed.
pub(crate) fn text_with_role(payload: &[u8], role: &str) -> Result<String, ClaimsError> {
    let not_an_object = |_: serde_json::Error| ClaimsError::NotAnObject;
    let role = serde_json::value::to_raw_value(role).map_err(not_an_object)?;
    let mut members: BTreeMap<String, &RawValue> =
        serde_json::from_slice(payload).map_err(not_an_object)?;
    members.insert("role".to_owned(), &role);
    serde_json::to_string(&members).map_err(not_an_object)
}

/// What the claims say about when and for whom a token is good. It is read once; whether it holds
/// is asked anew on each use.
pub(crate) struct Validity {
    expires: TimeClaim,
    not_before: TimeClaim,
    issued: TimeClaim,
    audience: Result<(), ClaimsError>,
}

/// A claim that is a point in time (RFC 7519 section 2, `NumericDate`).
#[derive(Clone, Copy)]
enum TimeClaim {
    Absent,
    At(i64),
    NotNumber,
}

impl Validity {
    /// Reads the validity from the claims, for a deployment that answers to `audience`.
    pub(crate) fn read(claims: &Map<String, Value>, audience: Option<&str>) -> Self {
        Self {
            expires: TimeClaim::read(claims, "exp"),
            not_before: TimeClaim::read(claims, "nbf"),
            issued: TimeClaim::read(claims, "iat"),
            audience: check_audience(claims.get("aud"), audience),
        }
    }

    /// Whether the token is good at `now`. The first claim that does not hold is the answer.
    pub(crate) fn check(&self, now: UnixTime) -> Result<(), ClaimsError> {
        let earliest_end = now.seconds().saturating_sub(ALLOWED_SKEW);
        let latest_start = now.seconds().saturating_add(ALLOWED_SKEW);
        let expired = |at| (at < earliest_end).then_some(ClaimsError::Expired);
        let early = |at| (at > latest_start).then_some(ClaimsError::NotYetValid);
        let unborn = |at| (at > latest_start).then_some(ClaimsError::IssuedAtFuture);
        self.expires.check(ClaimsError::ExpNotNumber, expired)?;
        self.not_before.check(ClaimsError::NbfNotNumber, early)?;
        self.issued.check(ClaimsError::IatNotNumber, unborn)?;
        self.audience
    }
}

impl TimeClaim {
    fn read(claims: &Map<String, Value>, name: &str) -> Self {
        match claims.get(name) {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::Number(number)) => Self::At(whole_seconds(number)),
            Some(_) => Self::NotNumber,
        }
    }

    fn check(
        self,
        not_number: ClaimsError,
        broken: impl FnOnce(i64) -> Option<ClaimsError>,
    ) -> Result<(), ClaimsError> {
        match self {
            Self::Absent => Ok(()),
            Self::At(at) => broken(at).map_or(Ok(()), Err),
            Self::NotNumber => Err(not_number),
        }
    }
}

/// A number that is no whole 64-bit count of seconds reads as the epoch, as PostgREST does.
fn whole_seconds(number: &serde_json::Number) -> i64 {
    /// 2^63, the first double beyond the range.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if let Some(seconds) = number.as_i64() {
        return seconds;
    }
    match number.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
        Some(seconds) if seconds.fract() == 0.0 && (-LIMIT..LIMIT).contains(&seconds) => {
            seconds as i64
        }
        _ => 0,
    }
}

fn check_audience(claim: Option<&Value>, audience: Option<&str>) -> Result<(), ClaimsError> {
    let matches = |named: &str| audience.is_none_or(|ours| ours == named);
    let good = match claim {
        None | Some(Value::Null) => true,
        Some(Value::String(named)) => matches(named),
        Some(Value::Array(all)) => {
            let named = all
                .iter()
                .map(Value::as_str)
                .collect::<Option<Vec<_>>>()
                .ok_or(ClaimsError::AudNotStringOrArray)?;
            named.is_empty() || named.into_iter().any(matches)
        }
        Some(_) => return Err(ClaimsError::AudNotStringOrArray),
    };
    good.then_some(()).ok_or(ClaimsError::NotInAudience)
}
