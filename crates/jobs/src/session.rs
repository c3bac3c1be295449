//! A worker's connection, and what it says to PostgreSQL.

use std::time::Duration;

use passerelle_pg::{
    ControlClient, ControlEndpoint, ControlError, ControlRow, ControlStatement, ControlTransaction,
    ToSql,
};

use crate::ticket::Ticket;

const HOLD: &str =
    "select attempts, payload::text, chance from passerelle.hold_job($1, $2::text::uuid)";
const BEGIN: &str =
    "select attempts, payload::text, chance from passerelle.begin_job($1, $2::text::uuid, $3)";
const KEEP: &str = "select passerelle.keep_job($1, $2::text::uuid, $3)";
const RELEASE: &str = "select passerelle.release_job($1, $2::text::uuid)";
const FINISH: &str = "select passerelle.finish_job($1, $2::text::uuid)";
const FAIL: &str = "select passerelle.fail_job($1, $2::text::uuid, $3, $4, $5)";
const ENTER: &str = "select pg_catalog.set_config('role', $1, true),
pg_catalog.set_config('request.jwt.claims', $2, true),
pg_catalog.set_config('passerelle.job_id', $3, true),
pg_catalog.set_config('statement_timeout', $4, true)";
const LEAVE: &str = "select pg_catalog.set_config('role', 'none', true),
pg_catalog.set_config('statement_timeout', '0', true)";

/// A connection and its prepared statements.
pub(crate) struct Session {
    pub(crate) client: ControlClient,
    pub(crate) statements: Statements,
}

/// What is said again and again.
pub(crate) struct Statements {
    hold: ControlStatement,
    begin: ControlStatement,
    keep: ControlStatement,
    release: ControlStatement,
    finish: ControlStatement,
    fail: ControlStatement,
    /// Under which role and name a function works, and how long it may.
    pub(crate) enter: ControlStatement,
    /// The end of that.
    pub(crate) leave: ControlStatement,
}

/// What is known of a job whose work begins.
pub(crate) struct Begun {
    /// How often it has failed.
    pub(crate) attempts: i32,
    /// As JSON.
    pub(crate) payload: String,
    /// Between 0 and 1.
    pub(crate) chance: f64,
}

/// How an attempt failed, and what that means.
pub(crate) struct Failure {
    /// Why, for those who look after jobs.
    pub(crate) error: String,
    /// After so many attempts it is dead.
    pub(crate) most: i32,
    /// When it is tried again.
    pub(crate) pause: Duration,
}

/// What has become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The job is done.
    Done,
    /// It is tried again.
    Failed,
    /// It has failed too often.
    Dead,
    /// The claim was not good any more: nothing has changed.
    Void,
}

impl Session {
    pub(crate) async fn open(
        endpoint: &ControlEndpoint,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let client = endpoint.connect().await?;
        let statements = Statements {
            hold: client.prepare(HOLD).await?,
            begin: client.prepare(BEGIN).await?,
            keep: client.prepare(KEEP).await?,
            release: client.prepare(RELEASE).await?,
            finish: client.prepare(FINISH).await?,
            fail: client.prepare(FAIL).await?,
            enter: client.prepare(ENTER).await?,
            leave: client.prepare(LEAVE).await?,
        };
        Ok(Self { client, statements })
    }

    /// Begins work that holds no transaction open, under a lease; nothing if the claim is void.
    pub(crate) async fn begin(
        &self,
        ticket: &Ticket,
        lease: Duration,
    ) -> Result<Option<Begun>, ControlError> {
        let (claim, lease) = (ticket.claim.to_string(), lease.as_secs_f64());
        let begin = &self.statements.begin;
        let row = self
            .client
            .query_opt(begin, &[&ticket.id, &claim, &lease])
            .await?;
        row.as_ref().map(begun).transpose()
    }

    /// Keeps such work for another lease; whether the claim is still good.
    pub(crate) async fn keep(
        &self,
        ticket: &Ticket,
        lease: Duration,
    ) -> Result<bool, ControlError> {
        let (claim, lease) = (ticket.claim.to_string(), lease.as_secs_f64());
        let keep = &self.statements.keep;
        let row = self
            .client
            .query_one(keep, &[&ticket.id, &claim, &lease])
            .await?;
        row.try_get(0)
    }

    /// Gives a job back that was not done.
    pub(crate) async fn release(&self, ticket: &Ticket) -> Result<(), ControlError> {
        let claim = ticket.claim.to_string();
        let release = &self.statements.release;
        self.client.query(release, &[&ticket.id, &claim]).await?;
        Ok(())
    }

    /// Ends an attempt by a transaction of its own.
    pub(crate) async fn end(
        &self,
        ticket: &Ticket,
        failure: Option<&Failure>,
    ) -> Result<Ending, ControlError> {
        let claim = ticket.claim.to_string();
        let Some(failure) = failure else {
            let finish = &self.statements.finish;
            let row = self.client.query_one(finish, &[&ticket.id, &claim]).await?;
            return finished(&row);
        };
        let pause = failure.pause.as_secs_f64();
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&ticket.id, &claim, &failure.error, &failure.most, &pause];
        let fail = &self.statements.fail;
        failed(&self.client.query_one(fail, &parameters).await?)
    }
}

impl Statements {
    /// Locks a job for the rest of the transaction; nothing if the claim is void.
    pub(crate) async fn hold(
        &self,
        transaction: &ControlTransaction<'_>,
        ticket: &Ticket,
    ) -> Result<Option<Begun>, ControlError> {
        let claim = ticket.claim.to_string();
        let row = transaction
            .query_opt(&self.hold, &[&ticket.id, &claim])
            .await?;
        row.as_ref().map(begun).transpose()
    }

    /// The job is done when the transaction is committed. What a function has changed of the session ends first.
    pub(crate) async fn finish(
        &self,
        transaction: &ControlTransaction<'_>,
        ticket: &Ticket,
    ) -> Result<Ending, ControlError> {
        let claim = ticket.claim.to_string();
        // Both are sent at once; PostgreSQL does them in this order, and the second only after the first.
        let parameters: [&(dyn ToSql + Sync); 2] = [&ticket.id, &claim];
        let (left, row) = tokio::join!(
            biased;
            transaction.query_one(&self.leave, &[]),
            transaction.query_one(&self.finish, &parameters),
        );
        left?;
        finished(&row?)
    }

    /// The attempt has failed when the transaction is committed.
    pub(crate) async fn fail(
        &self,
        transaction: &ControlTransaction<'_>,
        ticket: &Ticket,
        failure: &Failure,
    ) -> Result<Ending, ControlError> {
        let (claim, pause) = (ticket.claim.to_string(), failure.pause.as_secs_f64());
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&ticket.id, &claim, &failure.error, &failure.most, &pause];
        failed(&transaction.query_one(&self.fail, &parameters).await?)
    }
}

fn begun(row: &ControlRow) -> Result<Begun, ControlError> {
    Ok(Begun {
        attempts: row.try_get(0)?,
        payload: row.try_get(1)?,
        chance: row.try_get(2)?,
    })
}

fn finished(row: &ControlRow) -> Result<Ending, ControlError> {
    let is_ours: bool = row.try_get(0)?;
    Ok(if is_ours { Ending::Done } else { Ending::Void })
}

fn failed(row: &ControlRow) -> Result<Ending, ControlError> {
    let is_dead: Option<bool> = row.try_get(0)?;
    Ok(match is_dead {
        Some(true) => Ending::Dead,
        Some(false) => Ending::Failed,
        None => Ending::Void,
    })
}
