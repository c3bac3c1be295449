//! Row changes, broadcast and presence over websockets: `/realtime/v1` as a supabase-js client expects it.
//!
//! A socket is a task of its worker with a bounded queue, into which channels and the feed of changes put what it is to write. What
//! policies say about a change is asked of the database once for each audience, not for each subscriber (`rules`).

mod bucket;
mod changes;
mod channel;
mod errand;
pub mod frame;
mod http;
mod join;
mod metrics;
mod outlet;
mod presence;
mod relay;
mod rights;
mod rules;
mod setback;
mod settings;
mod socket;
mod state;
mod topic;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};
use passerelle_surface::RateGate;

pub use metrics::RealtimeCounts;
pub use settings::RealtimeSettings;
pub use state::{RealtimeParts, RealtimeState};

/// Mounts the surface as the default service of the scope that is being configured, whose path is
/// [`RealtimeSettings::prefix`]. Limits of rates are as a worker sees them.
pub fn configure(config: &mut ServiceConfig, state: &RealtimeState, gate: RateGate) {
    let (shared, gate) = (Arc::clone(&state.shared), Rc::new(gate));
    config.default_service(web::to(
        move |request: HttpRequest, payload: web::Payload| {
            http::handle(request, payload, Arc::clone(&shared), Rc::clone(&gate))
        },
    ));
}
