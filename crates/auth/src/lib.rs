//! Accounts and sessions: `/auth/v1` as a supabase-js client expects it.
//!
//! An endpoint reads its request, asks one or two things of the database, each in a transaction of its own
//! under the role `supabase_auth_admin`, and answers. What an account looks like to a client is decided in
//! SQL (`passerelle.account`); what an error says, in one table in `error`.

mod database;
mod endpoint;
mod error;
mod exchange;
mod grant;
mod hook;
mod one_time;
mod outbox;
mod password;
mod provider;
mod redirect;
mod refresh_token;
mod request;
mod route;
mod seal;
mod settings;
mod state;
mod totp;

use std::sync::Arc;

use actix_web::web::{self, ServiceConfig};

pub use outbox::Outbox;
pub use password::{HashCounts, Hasher, PasswordRules, RequiredCharacters};
pub use provider::{ProviderKind, ProviderSettings};
pub use redirect::Redirects;
pub use settings::{AuthSettings, Hook, Hooks, SessionRules};
pub use state::AuthState;

/// Mounts the surface as the default service of the scope that is being configured, whose path is
/// [`AuthSettings::prefix`].
pub fn configure(config: &mut ServiceConfig, state: Arc<AuthState>) {
    config.default_service(web::to(
        move |request: actix_web::HttpRequest, payload: web::Payload| {
            let state = Arc::clone(&state);
            async move { exchange::handle(&request, payload, &state).await }
        },
    ));
}
