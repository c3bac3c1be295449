//! The endpoints, each on the [`Exchange`](crate::exchange::Exchange) that it answers.

mod admin;
mod factors;
mod meta;
mod oauth;
mod otp;
mod phone;
mod sessions;
mod sign_up;
mod token;
mod user;
mod verify;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};

use crate::error::AuthError;

/// Sends a browser on.
fn send_on(status: StatusCode, url: &str) -> Result<HttpResponse, AuthError> {
    let mut response = HttpResponse::new(status);
    let url = HeaderValue::try_from(url).map_err(|_| AuthError::Answer("no URL"))?;
    response.headers_mut().insert(LOCATION, url);
    Ok(response)
}

/// An address in the form in which it is kept.
fn email(text: &str) -> Result<String, AuthError> {
    let invalid = |what| Err(AuthError::Invalid(what));
    let text = text.trim();
    if text.is_empty() {
        return invalid("An email address is required");
    }
    if text.len() > 255 {
        return invalid("An email address is too long");
    }
    if !is_email(text) {
        return invalid("Unable to validate email address: invalid format");
    }
    Ok(text.to_lowercase())
}

/// The form that browsers ask of addresses (HTML, valid e-mail address), with at least two labels.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_local = |c: char| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
        for text in ["ada+tag@example.co.uk", "a.b'c@x-y.example", "é@exämple.fr"] {
            assert!(email(text).is_ok(), "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@host",
            "a b@example.com",
            "a@-x.com",
            "a@x..com",
            "a@b@c d.com",
            "<a>@example.com",
            &long,
        ] {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
