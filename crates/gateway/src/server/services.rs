//! What a server has beside the REST surface: accounts, sockets, and work that is done later.

use std::sync::Arc;

use passerelle_auth::AuthState;
use passerelle_jobs::Workers;
use passerelle_pg::ControlEndpoint;
use passerelle_realtime::{RealtimeParts, RealtimeState};
use passerelle_store::Store;
use passerelle_surface::{EndedSessions, Fence};
use passerelle_wire::Pool;
use tokio::sync::watch;

use super::accounts::Accounts;
use crate::clock;
use crate::deployment::{self, AuthParts, JobParts};

/// What is configured.
type Configured = (
    Option<AuthParts>,
    Option<deployment::RealtimeParts>,
    JobParts,
);

/// What it works with.
pub(super) struct Around<'a> {
    /// Where this server is.
    pub(super) url: &'a str,
    pub(super) control: ControlEndpoint,
    pub(super) pool: Pool,
    /// What writes pass, where replies are kept.
    pub(super) fence: Option<Arc<dyn Fence>>,
    pub(super) store: &'a Store,
    pub(super) role_changes: watch::Receiver<u64>,
}

/// As long as this lives.
pub(super) struct Services {
    pub(super) accounts: Option<Accounts>,
    pub(super) realtime: Option<Arc<RealtimeState>>,
    pub(super) workers: Arc<Workers>,
}

impl Services {
    pub(super) async fn start((auth, realtime, jobs): Configured, around: Around<'_>) -> Self {
        let accounts = auth.map(|auth| {
            let (control, pool) = (around.control.clone(), around.pool.clone());
            Accounts::start(auth, around.url, control, pool, around.fence, around.store)
        });
        let mut all_jobs = jobs.jobs;
        all_jobs.extend(accounts.iter().flat_map(Accounts::messages));
        let workers = Workers::start(&around.control, around.store, all_jobs, jobs.workers);
        let workers = Arc::new(workers);
        let realtime = match realtime {
            Some(parts) => {
                let known = RealtimeParts {
                    pool: around.pool,
                    control: around.control,
                    feed: Some(parts.feed),
                    store: around.store.clone(),
                    ended: accounts.as_ref().and_then(Accounts::checked),
                    role_changes: around.role_changes,
                    clock: clock::now,
                };
                Some(RealtimeState::start(known, parts.settings).await)
            }
            None => None,
        };
        Self {
            accounts,
            realtime,
            workers,
        }
    }

    /// Who has been signed out, if other surfaces are to ask.
    pub(super) fn checked(&self) -> Option<EndedSessions> {
        self.accounts.as_ref().and_then(Accounts::checked)
    }

    /// What handlers of accounts share.
    pub(super) fn sign_in(&self) -> Option<Arc<AuthState>> {
        self.accounts.as_ref().map(Accounts::state)
    }
}
