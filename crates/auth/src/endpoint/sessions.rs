//! Signing out, and the sessions that one has.

use actix_web::HttpResponse;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::database::{optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;

const GLOBAL: &str = "with ended as (delete from auth.sessions s where s.user_id = $1::uuid returning s.id), \
    noted as (select passerelle.note_action(u, 'logout', 'account', $3) from auth.users u where u.id = $1::uuid) \
    select pg_catalog.count(*), $2::uuid is null, (select pg_catalog.count(*) from noted) from ended";
const LOCAL: &str = "with ended as (delete from auth.sessions s \
      where s.user_id = $1::uuid and s.id = $2::uuid returning s.id), \
    noted as (select passerelle.note_action(u, 'logout', 'account', $3) from auth.users u where u.id = $1::uuid) \
    select pg_catalog.count(*), true, (select pg_catalog.count(*) from noted) from ended";
const OTHERS: &str = "with ended as (delete from auth.sessions s \
      where s.user_id = $1::uuid and s.id is distinct from $2::uuid returning s.id), \
    noted as (select passerelle.note_action(u, 'logout', 'account', $3) from auth.users u where u.id = $1::uuid) \
    select pg_catalog.count(*), true, (select pg_catalog.count(*) from noted) from ended";
const LIST: &str = "select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object( \
      'id', s.id, 'created_at', passerelle.rfc3339(s.created_at), \
      'last_used_at', passerelle.rfc3339(coalesce(s.refreshed_at at time zone 'UTC', s.created_at)), \
      'user_agent', s.user_agent, 'ip', pg_catalog.host(s.ip), 'aal', s.aal, \
      'is_current', s.id is not distinct from $2::uuid) \
      order by coalesce(s.refreshed_at at time zone 'UTC', s.created_at) desc), '[]') \
    from auth.sessions s where s.user_id = $1::uuid";
const END: &str = "delete from auth.sessions s where s.user_id = $1::uuid and s.id = $2::uuid";

impl Exchange<'_> {
    /// When it is answered, no gateway takes the access tokens of the sessions any more.
    pub(crate) async fn sign_out(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let sql = match self.parameter("scope").as_deref() {
            None | Some("" | "global") => GLOBAL,
            Some("local") => LOCAL,
            Some("others") => OTHERS,
            Some(_) => {
                return Err(AuthError::Invalid(
                    "Unsupported logout scope: use global, local or others",
                ));
            }
        };
        let params = vec![
            text(who.user.to_string()),
            optional(who.session.map(|session| session.to_string())),
            optional(self.address()),
        ];
        self.state.write(sql, params).await?;
        self.state.shared.ended.settle().await;
        Ok(HttpResponse::NoContent().finish())
    }

    /// Where one is signed in.
    pub(crate) async fn list_sessions(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let params = vec![
            text(who.user.to_string()),
            optional(who.session.map(|session| session.to_string())),
        ];
        let found = self.state.read(LIST, params).await?;
        let listed = found.text(0, 0).unwrap_or("[]");
        let mut sessions: Vec<Map<String, Value>> =
            serde_json::from_str(listed).map_err(|_| AuthError::Answer("no JSON"))?;
        let id =
            |session: &Map<String, Value>| session["id"].as_str().and_then(|id| id.parse().ok());
        let ids: Vec<Uuid> = sessions.iter().filter_map(id).collect();
        // The database knows of sign-ins and refreshes alone.
        let uses = self.state.shared.ended.last_uses(&ids).await;
        for (session, used) in sessions.iter_mut().zip(uses) {
            let noted = used.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            let noted = noted.map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true));
            let known = session["last_used_at"].as_str().unwrap_or_default();
            if let Some(noted) = noted.filter(|time| time.as_str() > known) {
                session.insert("last_used_at".to_owned(), noted.into());
            }
        }
        Ok(HttpResponse::Ok().json(sessions))
    }

    /// Ends one of one's sessions.
    pub(crate) async fn end_session(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let id =
            Uuid::parse_str(id).map_err(|_| AuthError::Invalid("The session id is no UUID"))?;
        let params = vec![text(who.user.to_string()), text(id.to_string())];
        let ended = self.state.write(END, params).await?;
        if ended.affected() == Some(0) {
            return Err(AuthError::NoSession);
        }
        self.state.shared.ended.settle().await;
        Ok(HttpResponse::NoContent().finish())
    }
}
