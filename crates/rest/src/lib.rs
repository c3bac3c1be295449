//! The REST surface: an HTTP request in, rows of PostgreSQL out, as `PostgREST` would answer it.
//!
//! A handler walks the line of stages (caller, parse, plan, render, run, reply) and decides
//! nothing itself. What an error says is one table, in `error`.

mod admission;
mod batch;
mod cache;
mod course;
mod csv;
mod describe;
mod error;
mod export;
mod handler;
mod keys;
mod query_log;
mod reply;
mod request_settings;
mod run;
mod settings;
mod state;
mod work;

use std::sync::Arc;

use actix_web::web::{self, ServiceConfig};

pub use batch::BatchSettings;
pub use cache::{Audience, CachePolicy, CacheSettings, ReplyCache, RequestParts, TableCounters};
pub use describe::DescribeSettings;
pub use export::ExportSettings;
pub use passerelle_openapi::ServerAddress;
pub use settings::{CostLimits, CredentialKind, RestSettings, TransactionMode};
pub use state::RestState;

/// Mounts the surface as the default service of whatever is being configured: an application, or
/// a scope whose path is [`RestSettings::prefix`].
pub fn configure(config: &mut ServiceConfig, state: Arc<RestState>) {
    config.default_service(web::to(
        move |request: actix_web::HttpRequest, payload: web::Payload| {
            let state = Arc::clone(&state);
            async move { handler::handle(&request, payload, &state).await }
        },
    ));
}
