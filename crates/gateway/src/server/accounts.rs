//! The surface `/auth/v1`, and who has been signed out.

use std::sync::Arc;

use passerelle_auth::{AuthState, Hasher};
use passerelle_pg::ControlEndpoint;
use passerelle_surface::{EndedSessions, EndedSessionsKeeper, Fence};
use passerelle_wire::Pool;

use crate::clock;
use crate::deployment::AuthParts;

/// What signs users in.
pub(super) struct Accounts {
    state: Arc<AuthState>,
    ended: EndedSessionsKeeper,
    checks_sessions: bool,
}

impl Accounts {
    /// Begins to follow which sessions end. Writes pass the fence, where replies are kept.
    pub(super) fn start(
        parts: AuthParts,
        control: ControlEndpoint,
        pool: Pool,
        fence: Option<Arc<dyn Fence>>,
    ) -> Self {
        let ended = EndedSessionsKeeper::start(control);
        let hasher = Hasher::new(parts.passwords_at_once);
        let sessions = ended.sessions().clone();
        let state = AuthState::new(pool, clock::now, parts.settings, hasher, fence, sessions);
        Self {
            state: Arc::new(state),
            ended,
            checks_sessions: parts.checks_sessions,
        }
    }

    /// Who has been signed out, if other surfaces are to ask.
    pub(super) fn checked(&self) -> Option<EndedSessions> {
        self.checks_sessions.then(|| self.ended.sessions().clone())
    }

    /// The surface, and what has to live as long as it is served.
    pub(super) fn into_parts(self) -> (Arc<AuthState>, EndedSessionsKeeper) {
        (self.state, self.ended)
    }
}
