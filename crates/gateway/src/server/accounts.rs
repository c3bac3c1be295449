//! The surface `/auth/v1`, and who has been signed out.

use std::sync::Arc;
use std::time::Duration;

use passerelle_auth::{AuthState, Hasher, Outbox};
use passerelle_jobs::{Cause, Handler, JobSpec, Work};
use passerelle_mail::{Inbox, Mailer};
use passerelle_pg::ControlEndpoint;
use passerelle_store::Store;
use passerelle_surface::{EndedSessions, EndedSessionsKeeper, Fence};
use passerelle_wire::Pool;

use crate::clock;
use crate::deployment::AuthParts;

/// What signs users in.
pub(super) struct Accounts {
    state: Arc<AuthState>,
    ended: EndedSessionsKeeper,
    /// Where mails land during development.
    inbox: Option<Arc<Inbox>>,
    /// What sends mails and SMS, where any can be sent.
    messages: Vec<JobSpec>,
    checks_sessions: bool,
}

/// What gets anywhere.
#[derive(Clone, Copy)]
struct Has {
    mail: bool,
    sms: bool,
}

impl Accounts {
    /// Begins to follow which sessions end. Writes pass the fence, where replies are kept.
    pub(super) fn start(
        mut parts: AuthParts,
        url: &str,
        control: ControlEndpoint,
        pool: Pool,
        fence: Option<Arc<dyn Fence>>,
        store: &Store,
    ) -> Self {
        if parts.is_url_open {
            parts.settings.locate(url);
        }
        let ended =
            EndedSessionsKeeper::start(control, store.sessions(parts.tracks_sessions), clock::now);
        let hasher = Hasher::new(parts.passwords_at_once);
        let sessions = ended.sessions().clone();
        let has = Has {
            mail: parts.settings.has_mail,
            sms: parts.settings.has_sms,
        };
        let state = AuthState::new(pool, clock::now, parts.settings, hasher, fence, sessions);
        let state = Arc::new(state);
        let inbox = match &parts.outbox.mailer {
            Mailer::Inbox(inbox) => Some(Arc::clone(inbox)),
            _ => None,
        };
        Self {
            messages: messages(&state, parts.outbox, has),
            inbox,
            state,
            ended,
            checks_sessions: parts.checks_sessions,
        }
    }

    /// Who has been signed out, if other surfaces are to ask.
    pub(super) fn checked(&self) -> Option<EndedSessions> {
        self.checks_sessions.then(|| self.ended.sessions().clone())
    }

    /// The jobs that send mails and SMS, where any can be sent.
    pub(super) fn messages(&self) -> Vec<JobSpec> {
        self.messages.clone()
    }

    /// Where mails land during development.
    pub(super) fn inbox(&self) -> Option<Arc<Inbox>> {
        self.inbox.clone()
    }

    /// What its handlers share.
    pub(super) fn state(&self) -> Arc<AuthState> {
        Arc::clone(&self.state)
    }
}

/// The jobs of `passerelle.send_mail` and `passerelle.send_sms` (`sql/platform/`).
fn messages(state: &Arc<AuthState>, outbox: Outbox, has: Has) -> Vec<JobSpec> {
    let outbox = Arc::new(outbox);
    let job = |name: &str, handler| JobSpec {
        name: name.to_owned(),
        cause: Cause::Gateway,
        work: Work::Gateway(handler),
        attempts: 8,
        backoff: Duration::from_secs(5),
        timeout: Duration::from_mins(1),
        concurrency: 4,
    };
    let mut jobs = Vec::new();
    if has.mail {
        let (state, outbox) = (Arc::clone(state), Arc::clone(&outbox));
        let send = Handler::new(move |record: String| {
            let (state, outbox) = (Arc::clone(&state), Arc::clone(&outbox));
            Box::pin(async move { state.send_mail(&record, &outbox).await })
        });
        jobs.push(job("passerelle.mail", send));
    }
    if has.sms {
        let state = Arc::clone(state);
        let send = Handler::new(move |record: String| {
            let (state, outbox) = (Arc::clone(&state), Arc::clone(&outbox));
            Box::pin(async move { state.send_sms(&record, &outbox).await })
        });
        jobs.push(job("passerelle.sms", send));
    }
    jobs
}
