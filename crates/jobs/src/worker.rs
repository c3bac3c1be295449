//! A worker: does one job after the other, each under the claim that it was handed with.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use passerelle_pg::{ControlEndpoint, ControlError, ControlTransaction, ControlType};
use passerelle_webhook::{Caller, Message};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::backoff::pause;
use crate::install::qualified;
use crate::moments::now;
use crate::session::{Begun, Ending, Failure, Session};
use crate::spec::{JobSpec, Work};
use crate::ticket::Ticket;
use crate::tray::Handed;
use crate::workers::{Crew, LOST};

/// How long work that holds no transaction is a worker's before it is handed out again …
const LEASE: Duration = Duration::from_secs(10);
/// … unless the worker says that it is still at it, every so often.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often it is tried to say what has become of it.
const TRIES: u32 = 30;
/// Of the answer of a webhook so many bytes are kept.
const SHOWN: usize = 200;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Does jobs, with a connection of its own.
pub(crate) struct Worker {
    crew: Arc<Crew>,
    caller: Caller,
    session: Option<Session>,
}

impl Worker {
    pub(crate) fn new(crew: Arc<Crew>, caller: Caller) -> Self {
        Self {
            crew,
            caller,
            session: None,
        }
    }

    /// Works, as long as it is let.
    pub(crate) async fn run(mut self) {
        let crew = Arc::clone(&self.crew);
        loop {
            if let Err(error) = connected(&mut self.session, &crew.endpoint).await {
                tracing::warn!(error, "a worker has no connection");
                sleep(LOST).await;
                continue;
            }
            let handed = crew.tray.next().await;
            let ticket = &handed.ticket;
            let Some(job) = crew.job(&ticket.job) else {
                acknowledge(&crew, &handed).await;
                continue;
            };
            let attempt = match &job.work {
                Work::Function { .. } => self.call_function(job, &handed).await,
                Work::Webhook { .. } | Work::Gateway(_) => self.run_errand(job, &handed).await,
            };
            if let Err(error) = attempt {
                let (job, id) = (ticket.job.as_str(), ticket.id);
                tracing::warn!(job, id, error, "the connection of a worker failed");
                self.session = None;
                // What was done in a transaction is undone.
                if let Ok(session) = connected(&mut self.session, &crew.endpoint).await {
                    let _ = session.release(ticket).await;
                }
                // Whatever it was, it may come again at once.
                sleep(LOST).await;
            }
        }
    }

    /// Calls a function in the transaction that ends its job, so that both are there or neither.
    async fn call_function(&mut self, job: &JobSpec, handed: &Handed) -> Result<(), Error> {
        let (crew, ticket) = (&self.crew, &handed.ticket);
        let session = connected(&mut self.session, &crew.endpoint).await?;
        let (client, statements) = (&mut session.client, &session.statements);
        let mut transaction = client.transaction().await?;
        let Some(begun) = statements.hold(&transaction, ticket).await? else {
            transaction.rollback().await?;
            acknowledge(crew, handed).await;
            return Ok(());
        };
        let called = call(
            &mut transaction,
            &session.statements.enter,
            job,
            ticket,
            &begun,
        );
        // From here on its lock says that somebody is at it.
        let (called, ()) = tokio::join!(called, acknowledge(crew, handed));
        let failure = called?.map(|error| failure(job, &begun, error));
        let ending = match &failure {
            None => statements.finish(&transaction, ticket).await?,
            Some(failure) => statements.fail(&transaction, ticket, failure).await?,
        };
        if ending == Ending::Void {
            transaction.rollback().await?;
            self.note(job, ticket, ending, None);
            return Ok(());
        }
        match transaction.commit().await {
            Ok(()) => self.note(job, ticket, ending, failure.as_ref()),
            // As of a constraint that is checked last.
            Err(error) if error.as_db_error().is_some() && !client.is_closed() => {
                let failure = failure_of(job, &begun, &error);
                let ending = session.end(ticket, Some(&failure)).await?;
                self.note(job, ticket, ending, Some(&failure));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Does what is done outside of the database, while no transaction is open.
    async fn run_errand(&mut self, job: &JobSpec, handed: &Handed) -> Result<(), Error> {
        let (crew, ticket) = (Arc::clone(&self.crew), &handed.ticket);
        let session = connected(&mut self.session, &crew.endpoint).await?;
        let Some(begun) = session.begin(ticket, LEASE).await? else {
            acknowledge(&crew, handed).await;
            return Ok(());
        };
        let caller = self.caller.clone();
        let work = async {
            tokio::select! {
                outcome = errand(&caller, job, ticket, &begun) => outcome,
                never = keep(&mut self.session, &crew.endpoint, ticket) => match never {},
            }
        };
        let (outcome, ()) = tokio::join!(work, acknowledge(&crew, handed));
        let failure = outcome.err().map(|error| failure(job, &begun, error));
        let ending = self.settle(ticket, failure.as_ref()).await?;
        self.note(job, ticket, ending, failure.as_ref());
        Ok(())
    }

    /// Says what has become of work that cannot be undone, over another connection if this one has failed.
    async fn settle(
        &mut self,
        ticket: &Ticket,
        failure: Option<&Failure>,
    ) -> Result<Ending, Error> {
        let mut tries = 0;
        loop {
            let ending = match connected(&mut self.session, &self.crew.endpoint).await {
                Ok(session) => session.end(ticket, failure).await.map_err(Error::from),
                Err(error) => Err(error),
            };
            tries += 1;
            match ending {
                Err(error) if tries < TRIES => {
                    tracing::debug!(error, "the end of a job is not yet written down");
                    self.session = None;
                    // The first failure may be that of a connection that had been closed.
                    if tries > 1 {
                        sleep(LOST).await;
                    }
                }
                ending => return ending,
            }
        }
    }

    fn note(&self, job: &JobSpec, ticket: &Ticket, ending: Ending, failure: Option<&Failure>) {
        self.crew.counts.note(ending);
        let (job, id) = (job.name.as_str(), ticket.id);
        let error = failure.map(|failure| failure.error.as_str());
        match ending {
            Ending::Done => {}
            Ending::Failed => tracing::warn!(job, id, error, "a job failed"),
            Ending::Dead => tracing::error!(job, id, error, "a job is dead"),
            Ending::Void => {
                tracing::warn!(job, id, error, "a job took so long that another has it");
            }
        }
    }
}

/// The session, opened again if it has failed.
async fn connected<'a>(
    session: &'a mut Option<Session>,
    endpoint: &ControlEndpoint,
) -> Result<&'a mut Session, Error> {
    if session
        .as_ref()
        .is_some_and(|session| session.client.is_closed())
    {
        *session = None;
    }
    match session {
        Some(session) => Ok(session),
        none => Ok(none.insert(Session::open(endpoint).await?)),
    }
}

/// Says that a job was taken up: from now on PostgreSQL alone knows of it.
async fn acknowledge(crew: &Crew, handed: &Handed) {
    if let Some(entry) = &handed.entry
        && let Err(error) = crew.stream.acknowledge(entry).await
    {
        tracing::debug!(%error, "a job that was taken up may be handed over again");
    }
}

/// Calls a function under its role; why it failed, and then nothing is left of it.
async fn call(
    transaction: &mut ControlTransaction<'_>,
    enter: &passerelle_pg::ControlStatement,
    job: &JobSpec,
    ticket: &Ticket,
    begun: &Begun,
) -> Result<Option<String>, ControlError> {
    let Work::Function { name, role } = &job.work else {
        return Ok(None);
    };
    let call = format!("select {}($1::text::jsonb)", qualified(name));
    let id = message_id(job, ticket);
    let claims = json!({ "role": role }).to_string();
    let timeout = format!("{}ms", job.timeout.as_millis());
    let savepoint = transaction.savepoint("work").await?;
    let payload = [(
        &begun.payload as &(dyn passerelle_pg::ToSql + Sync),
        ControlType::TEXT,
    )];
    // Both are sent at once; PostgreSQL does them in this order, and the second only after the first.
    let entering: [&(dyn passerelle_pg::ToSql + Sync); 4] = [role, &claims, &id, &timeout];
    let (entered, called) = tokio::join!(
        biased;
        savepoint.query(enter, &entering),
        savepoint.query_typed(&call, &payload),
    );
    match entered.and(called) {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(None)
        }
        Err(error) => {
            savepoint.rollback().await?;
            Ok(Some(passerelle_pg::told(&error)))
        }
    }
}

/// Sends a webhook or does the gateway's own work; why it failed.
async fn errand(
    caller: &Caller,
    job: &JobSpec,
    ticket: &Ticket,
    begun: &Begun,
) -> Result<(), String> {
    match &job.work {
        Work::Function { .. } => Ok(()),
        Work::Webhook { url, secret } => {
            // Receivers refuse what was sent too long ago.
            let message = Message {
                id: &message_id(job, ticket),
                seconds: now().timestamp(),
                body: &begun.payload,
            };
            let secrets = std::slice::from_ref(secret);
            let sent = caller.call(url, secrets, message, job.timeout, SHOWN).await;
            let answer = sent.map_err(|error| error.to_string())?;
            if (200..300).contains(&answer.status) {
                return Ok(());
            }
            let shown = String::from_utf8_lossy(&answer.body);
            Err(format!("the answer was {}: {shown}", answer.status))
        }
        Work::Gateway(handler) => {
            let work = handler.handle(begun.payload.clone());
            match timeout(job.timeout, work).await {
                Ok(outcome) => outcome,
                Err(_) => Err("it took too long".to_owned()),
            }
        }
    }
}

/// Says again and again that somebody is still at a job.
async fn keep(
    session: &mut Option<Session>,
    endpoint: &ControlEndpoint,
    ticket: &Ticket,
) -> Infallible {
    loop {
        sleep(RENEWAL).await;
        let kept = match connected(session, endpoint).await {
            Ok(session) => session.keep(ticket, LEASE).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        let (job, id) = (ticket.job.as_str(), ticket.id);
        match kept {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job, id, "a job was handed to another as well"),
            Err(error) => tracing::debug!(job, id, error, "a job could not be kept"),
        }
    }
}

/// The same for every attempt of a job.
fn message_id(job: &JobSpec, ticket: &Ticket) -> String {
    format!("{}:{}", job.name, ticket.id)
}

fn failure(job: &JobSpec, begun: &Begun, error: String) -> Failure {
    let failed = u32::try_from(begun.attempts).unwrap_or(0) + 1;
    Failure {
        error,
        most: job.attempts,
        pause: pause(job.backoff, failed, begun.chance),
    }
}

fn failure_of(job: &JobSpec, begun: &Begun, error: &ControlError) -> Failure {
    failure(job, begun, passerelle_pg::told(error))
}
