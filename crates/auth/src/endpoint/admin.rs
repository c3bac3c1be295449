//! `/admin` and `/invite`: what callers with the role `service_role` may do with all accounts.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, LINK};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::email;
use super::otp::Wish;
use super::phone::phone;
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant;
use crate::hook::Newcomer;
use crate::one_time::{digest_of, random_id};
use crate::password::PasswordRules;
use crate::redirect::with_query;
use crate::request::{AdminUser, Challenge, Deletion, Invitation, LinkRequest, given, metadata};

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

const LIST: &str = "select pg_catalog.json_build_object('users', coalesce(pg_catalog.json_agg(passerelle.account(u.u) \
      order by (u.u).created_at desc, (u.u).id), '[]'), 'aud', 'authenticated'), \
      (select pg_catalog.count(*) from auth.users) \
    from (select u from auth.users u order by u.created_at desc, u.id limit $1::int8 offset $2::int8) u";
const FIND: &str = "select passerelle.account(u) from auth.users u where u.id = $1::uuid";
const SAVE: &str = "select verdict, account from passerelle.save_account($1::uuid, $2::bool, $3::pg_catalog.jsonb, $4, $5)";
const DELETE: &str = "select passerelle.delete_account($1::uuid, $2::bool, $3)";
const GENERATE: &str = "select verdict, verification, account \
    from passerelle.generate_link($1, $2, $3, $4::uuid, $5, $6, $7::pg_catalog.jsonb, $8)";

/// Users of a page, unless it is said.
const PER_PAGE: u64 = 50;
/// At most.
const MOST: u64 = 1000;

impl Exchange<'_> {
    pub(crate) async fn list_users(&mut self) -> Result<HttpResponse, AuthError> {
        let number = |name, default: u64| match self.parameter(name).as_deref() {
            None | Some("") => Ok(default),
            Some(text) => text
                .parse::<u64>()
                .map_err(|_| AuthError::Invalid("Bad Pagination Parameters")),
        };
        let page = number("page", 1)?.max(1);
        let per_page = number("per_page", PER_PAGE)?.clamp(1, MOST);
        let offset = (page - 1)
            .saturating_mul(per_page)
            .min(i64::MAX.unsigned_abs());
        let params = vec![text(per_page.to_string()), text(offset.to_string())];
        let found = self.state.read(LIST, params).await?;
        let total: u64 = found
            .text(0, 1)
            .and_then(|total| total.parse().ok())
            .unwrap_or(0);
        let mut response = grant::account(found.text(0, 0).unwrap_or_default());
        let headers = response.headers_mut();
        headers.insert(X_TOTAL_COUNT, HeaderValue::from(total));
        let last = total.div_ceil(per_page).max(1);
        // Clients read the page after the first equals sign.
        let base = format!("{}/admin/users", self.ready.settings.issuer);
        let link = |page: u64, rel: &str| {
            format!("<{base}?page={page}&per_page={per_page}>; rel=\"{rel}\"")
        };
        let next = (page < last).then(|| link(page + 1, "next"));
        let links: Vec<String> = next.into_iter().chain([link(last, "last")]).collect();
        if let Ok(links) = HeaderValue::try_from(links.join(", ")) {
            headers.insert(LINK, links);
        }
        Ok(response)
    }

    pub(crate) async fn find_user(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let found = self
            .state
            .read(FIND, vec![text(self::id(id)?.to_string())])
            .await?;
        let account = found.text(0, 0).ok_or(AuthError::UnknownUser)?;
        Ok(grant::account(account))
    }

    pub(crate) async fn create_user(&mut self) -> Result<HttpResponse, AuthError> {
        let request: AdminUser = self.json().await?;
        let has = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if !has(&request.email) && !has(&request.phone) {
            return Err(AuthError::Invalid(
                "Cannot create a user without either an email or phone",
            ));
        }
        let id = match &request.id {
            None => None,
            Some(id) => {
                let id = Uuid::parse_str(id).ok().filter(|id| !id.is_nil());
                Some(id.ok_or(AuthError::Invalid("ID must be a valid UUID"))?)
            }
        };
        self.save(id, true, request).await
    }

    pub(crate) async fn change_user(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let id = self::id(id)?;
        let request: AdminUser = self.json().await?;
        self.save(Some(id), false, request).await
    }

    async fn save(
        &mut self,
        id: Option<Uuid>,
        is_new: bool,
        request: AdminUser,
    ) -> Result<HttpResponse, AuthError> {
        let mut wanted = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                wanted.insert(name.to_owned(), value);
            }
        };
        let address = given(request.email).map(|text| email(&text)).transpose()?;
        let phone = given(request.phone).map(|text| phone(&text)).transpose()?;
        set("email", address.map(Value::from));
        set("phone", phone.map(Value::from));
        set("email_confirm", request.email_confirm.map(Value::from));
        set("phone_confirm", request.phone_confirm.map(Value::from));
        for data in [&request.user_metadata, &request.app_metadata] {
            metadata(data.clone(), 0)?;
        }
        set("user_metadata", request.user_metadata.map(Value::Object));
        set("app_metadata", request.app_metadata.map(Value::Object));
        set("role", given(request.role).map(Value::from));
        set("aud", given(request.aud).map(Value::from));
        let ban = request
            .ban_duration
            .map(|text| seconds(&text))
            .transpose()?;
        set("ban_seconds", ban.map(Value::from));
        let is_banned = ban.is_some_and(|seconds| seconds > 0.0);
        let (password, hash) = (given(request.password), given(request.password_hash));
        let hash = match (password, hash) {
            (Some(_), Some(_)) => {
                return Err(AuthError::Invalid(
                    "Only a password or a password hash should be provided",
                ));
            }
            (Some(password), None) => {
                PasswordRules::check_length(&password)?;
                Some(self.state.shared.hasher.hash(password).await?)
            }
            (None, Some(hash)) if !hash.starts_with('$') => {
                return Err(AuthError::Invalid(
                    "password_hash must be a bcrypt, Argon2 or PBKDF2 hash",
                ));
            }
            (None, hash) => hash,
        };
        let signs_out = !is_new && (hash.is_some() || is_banned);
        let params = vec![
            optional(id.map(|id| id.to_string())),
            flag(is_new),
            text(Value::Object(wanted).to_string()),
            optional(hash),
            optional(self.address()),
        ];
        let saved = self.state.write(SAVE, params).await?;
        match saved.text(0, 0) {
            Some("saved") => {}
            Some("email_exists") => return Err(AuthError::EmailExists),
            Some("phone_exists") => return Err(AuthError::PhoneExists),
            Some("conflict") => return Err(AuthError::UserExists),
            Some("not_found") => return Err(AuthError::UnknownUser),
            _ => return Err(AuthError::Answer("no verdict")),
        }
        if signs_out {
            self.state.shared.ended.settle().await;
        }
        Ok(grant::account(saved.text(0, 1).unwrap_or_default()))
    }

    pub(crate) async fn delete_user(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let id = self::id(id)?;
        let request: Deletion = self.json().await?;
        let is_soft = request.should_soft_delete.unwrap_or(false);
        let params = vec![
            text(id.to_string()),
            flag(is_soft),
            optional(self.address()),
        ];
        let deleted = self.state.write(DELETE, params).await?;
        if deleted.text(0, 0) != Some("t") {
            return Err(AuthError::UnknownUser);
        }
        self.state.shared.ended.settle().await;
        Ok(HttpResponse::Ok().json(json!({})))
    }

    pub(crate) async fn invite(&mut self) -> Result<HttpResponse, AuthError> {
        self.need_mail()?;
        let request: Invitation = self.json().await?;
        let email = email(&request.email.unwrap_or_default())?;
        let data = metadata(request.data, 0)?;
        self.announce(Newcomer {
            email: Some(&email),
            way: Some("email"),
            data: &data,
            ..Newcomer::default()
        })
        .await?;
        let wish = Wish {
            kind: "invite",
            email: &email,
            challenge: Challenge::default(),
            may_create: true,
            data,
        };
        let sent = self.request_mail(wish).await?;
        match sent.text(0, 0) {
            Some("sent") => Ok(grant::account(sent.text(0, 1).unwrap_or_default())),
            _ => Err(AuthError::EmailExists),
        }
    }

    pub(crate) async fn make_link(&mut self) -> Result<HttpResponse, AuthError> {
        let request: LinkRequest = self.json().await?;
        let kind = given(request.kind).unwrap_or_default();
        let address = email(&request.email.unwrap_or_default())?;
        let changes = matches!(kind.as_str(), "email_change_current" | "email_change_new");
        let is_known = matches!(
            kind.as_str(),
            "signup" | "invite" | "magiclink" | "recovery"
        );
        if !changes && !is_known {
            return Err(AuthError::Invalid(
                "Invalid email action link type requested",
            ));
        }
        let new_email = match given(request.new_email) {
            Some(text) if changes => Some(email(&text)?),
            None if changes => return Err(AuthError::Invalid("new_email is required")),
            _ => None,
        };
        let password = given(request.password);
        let hash = match password {
            Some(password) => {
                PasswordRules::check_length(&password)?;
                Some(self.state.shared.hasher.hash(password).await?)
            }
            None if kind == "signup" => {
                return Err(AuthError::Invalid("Signup requires a valid password"));
            }
            None => None,
        };
        let token = random_id()?;
        let link = self.ready.one_time.link(token);
        let params = vec![
            text(&kind),
            text(address),
            optional(new_email),
            text(token.to_string()),
            text(digest_of(&link)),
            optional(hash),
            text(metadata(request.data, 0)?),
            optional(self.address()),
        ];
        let made = self.state.write(GENERATE, params).await?;
        match made.text(0, 0) {
            Some("made") => {}
            Some("not_found") => return Err(AuthError::UnknownUser),
            _ => return Err(AuthError::EmailExists),
        }
        let verification = made.text(0, 1).unwrap_or_default();
        let account = made.text(0, 2).unwrap_or_default();
        let unreadable = |_| AuthError::Answer("no JSON");
        let mut answer: Map<String, Value> = serde_json::from_str(account).map_err(unreadable)?;
        let wanted = given(request.redirect_to).or_else(|| self.parameter("redirect_to"));
        let target = self.ready.settings.redirects.target(wanted.as_deref());
        let action = with_query(
            &format!("{}/verify", self.ready.settings.issuer),
            &[
                ("token", link.as_str()),
                ("type", verification),
                ("redirect_to", &target),
            ],
        );
        answer.extend([
            ("action_link".to_owned(), action.into()),
            (
                "email_otp".to_owned(),
                self.ready.one_time.code(token).into(),
            ),
            ("hashed_token".to_owned(), link.into()),
            ("verification_type".to_owned(), kind.into()),
            ("redirect_to".to_owned(), target.into()),
        ]);
        Ok(HttpResponse::Ok().json(answer))
    }
}

fn id(text: &str) -> Result<Uuid, AuthError> {
    Uuid::parse_str(text).map_err(|_| AuthError::NoSuchId)
}

/// Seconds of a duration as Go writes it: `24h`, `1h30m`, `none`.
fn seconds(text: &str) -> Result<f64, AuthError> {
    let invalid = AuthError::Invalid("invalid format for ban duration: use 24h, 1h30m or none");
    if text == "none" || text == "0" {
        return Ok(0.0);
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return Err(invalid),
        };
        let Ok(number) = digits.parse::<f64>() else {
            return Err(invalid);
        };
        sum += number * scale;
        rest = after;
    }
    // A hundred years.
    if text.is_empty() || sum > 3.2e9 {
        return Err(invalid);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("24h", 86_400.0),
            ("1h30m", 5400.0),
            ("1.5s", 1.5),
            ("none", 0.0),
        ] {
            assert!((seconds(text).unwrap() - expected).abs() < 1e-9, "{text}");
        }
        for text in ["", "h", "1", "1d", "-1h", "1h-2m", "1e9h", "999999999h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
