//! The surface `/realtime/v1`.

use std::sync::Arc;

use passerelle_pg::ControlEndpoint;
use passerelle_realtime::{RealtimeParts, RealtimeState};
use passerelle_store::Store;
use passerelle_surface::EndedSessions;
use passerelle_wire::Pool;
use tokio::sync::watch;

use crate::clock;
use crate::deployment;

/// Begins to carry messages.
pub(super) async fn start(
    parts: deployment::RealtimeParts,
    (pool, control, store): (Pool, ControlEndpoint, Store),
    ended: Option<EndedSessions>,
    role_changes: watch::Receiver<u64>,
) -> Arc<RealtimeState> {
    let known = RealtimeParts {
        pool,
        control,
        feed: Some(parts.feed),
        store,
        ended,
        role_changes,
        clock: clock::now,
    };
    RealtimeState::start(known, parts.settings).await
}
