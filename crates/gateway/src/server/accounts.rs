//! The surface `/auth/v1`, and who has been signed out.

use std::sync::Arc;
use std::time::Duration;

use passerelle_auth::{AuthState, Hasher};
use passerelle_jobs::{Cause, Handler, JobSpec, Work};
use passerelle_mail::{Inbox, Mailer, Templates};
use passerelle_pg::ControlEndpoint;
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
    /// Absent where no mail can be sent.
    mails: Option<JobSpec>,
    checks_sessions: bool,
}

impl Accounts {
    /// Begins to follow which sessions end. Writes pass the fence, where replies are kept.
    pub(super) fn start(
        mut parts: AuthParts,
        url: &str,
        control: ControlEndpoint,
        pool: Pool,
        fence: Option<Arc<dyn Fence>>,
    ) -> Self {
        if parts.is_url_open {
            parts.settings.locate(url);
        }
        let ended = EndedSessionsKeeper::start(control);
        let hasher = Hasher::new(parts.passwords_at_once);
        let sessions = ended.sessions().clone();
        let state = AuthState::new(pool, clock::now, parts.settings, hasher, fence, sessions);
        let state = Arc::new(state);
        let inbox = match &parts.mailer {
            Mailer::Inbox(inbox) => Some(Arc::clone(inbox)),
            _ => None,
        };
        Self {
            mails: parts
                .mailer
                .is_configured()
                .then(|| mails(Arc::clone(&state), parts.mailer, parts.templates)),
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

    /// The job that sends mails, where any can be sent.
    pub(super) fn mails(&self) -> Option<JobSpec> {
        self.mails.clone()
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

/// The job of `passerelle.send_mail` (`sql/platform/0007_mail.sql`).
fn mails(state: Arc<AuthState>, mailer: Mailer, templates: Templates) -> JobSpec {
    let templates = Arc::new(templates);
    let send = move |record: String| {
        let message = state.write_mail(&record, &templates);
        let mailer = mailer.clone();
        let sent = async move {
            let sent = mailer.send(message?).await;
            sent.map_err(|error| crate::sentence(&error))
        };
        Box::pin(sent) as passerelle_jobs::Handled
    };
    JobSpec {
        name: "passerelle.mail".to_owned(),
        cause: Cause::Gateway,
        work: Work::Gateway(Handler::new(send)),
        attempts: 8,
        backoff: Duration::from_secs(5),
        timeout: Duration::from_mins(1),
        concurrency: 4,
    }
}
