//! What clients send. Unknown members are ignored; what is missing and what is null are the same.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `POST /signup`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SignUp {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
}

/// `POST /token?grant_type=password`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PasswordGrant {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
}

/// `POST /token?grant_type=refresh_token`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RefreshGrant {
    pub(crate) refresh_token: Option<String>,
}

/// `PUT /user`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UserUpdate {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) current_password: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
    pub(crate) app_metadata: Option<Map<String, Value>>,
}

/// Text that says something.
pub(crate) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
