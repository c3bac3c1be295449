//! SQLSTATE to HTTP status (PostgREST, "Errors", table of PostgreSQL's codes).

use super::SqlError;

/// Status, and the phrase that goes with it when SQL chose it.
pub(super) struct Status<'a> {
    pub(super) code: u16,
    pub(super) reason: Option<&'a str>,
}

pub(super) fn of(error: &SqlError, authenticated: bool) -> Status<'_> {
    if let Some(digits) = error.code.strip_prefix("PT") {
        return raised(digits, &error.message);
    }
    let code = whole_code(error, authenticated).unwrap_or_else(|| class(&error.code));
    Status { code, reason: None }
}

/// `raise sqlstate 'PT402'`: the digits are the status, the message is its phrase.
fn raised<'a>(digits: &str, message: &'a str) -> Status<'a> {
    match digits.parse::<u16>() {
        Ok(code) if (100..=999).contains(&code) => Status {
            code,
            reason: Some(message),
        },
        _ => Status {
            code: 500,
            reason: None,
        },
    }
}

/// Codes that differ from their class.
fn whole_code(error: &SqlError, authenticated: bool) -> Option<u16> {
    let message = error.message.as_str();
    let status = match error.code.as_str() {
        "23503" | "23505" => 409,
        "25006" => 405,
        // Refused by pg-safeupdate, which is the client's doing.
        "21000" if message.ends_with("requires a WHERE clause") => 400,
        "21000" | "42P17" | "53400" => 500,
        // The role in the token does not exist.
        "22023" if message.starts_with("role") && message.ends_with("does not exist") => 401,
        "57P01" => 503,
        "P0001" => 400,
        // Without libxml there is no way to produce the media type.
        "42883" if message.starts_with("function xmlagg(") => 406,
        "42883" | "42P01" => 404,
        "42501" if authenticated => 403,
        "42501" => 401,
        _ => return None,
    };
    Some(status)
}

fn class(code: &str) -> u16 {
    match code.get(..2).unwrap_or_default() {
        "08" | "53" => 503,
        "0L" | "0P" | "28" => 403,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0"
        | "HV" | "P0" | "XX" => 500,
        _ => 400,
    }
}
