//! Triggers that record jobs.

use passerelle_catalog::QualifiedName;
use passerelle_pg::ControlClient;
use thiserror::Error;

use crate::spec::{Cause, JobSpec};

/// What the names of triggers begin with.
const PREFIX: &str = "passerelle_job_";

const PRESENT: &str = "select t.tgname::text, t.tgrelid::pg_catalog.regclass::text
from pg_catalog.pg_trigger t
where t.tgname like 'passerelle\\_job\\_%' and not t.tgisinternal and t.tgparentid = 0";

/// Why triggers could not be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// That of a job was refused.
    #[error("the trigger of the job {job} cannot be installed")]
    Refused {
        /// The job.
        job: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// PostgreSQL or the connection failed.
    #[error("the triggers of jobs cannot be installed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Has the changes recorded that jobs follow, and no others any more. Only who owns the tables may.
///
/// # Errors
/// [`InstallError`]; nothing has changed then.
pub async fn install(client: &mut ControlClient, jobs: &[JobSpec]) -> Result<(), InstallError> {
    let failed = |error: passerelle_pg::ControlError| InstallError::Failed(error.into());
    let transaction = client.transaction().await.map_err(failed)?;
    let wanted: Vec<(&JobSpec, String, String)> = jobs.iter().flat_map(triggers).collect();
    for row in transaction.query(PRESENT, &[]).await.map_err(failed)? {
        let (trigger, table): (String, String) = (row.get(0), row.get(1));
        if !wanted.iter().any(|(_, name, _)| *name == trigger) {
            let drop = format!("drop trigger {} on {table}", quoted(&trigger));
            transaction.execute(&drop, &[]).await.map_err(failed)?;
        }
    }
    for (job, _, statement) in &wanted {
        let made = transaction.execute(statement, &[]).await;
        made.map_err(|error| InstallError::Refused {
            job: job.name.clone(),
            source: error.into(),
        })?;
    }
    transaction.commit().await.map_err(failed)
}

/// The triggers of a job: the job, their names and their statements.
fn triggers(job: &JobSpec) -> Vec<(&JobSpec, String, String)> {
    let Cause::Rows {
        table,
        changes,
        condition,
        key,
        delay,
    } = &job.cause
    else {
        return Vec::new();
    };
    let changes = changes.iter().map(|change| {
        let name = format!("{PREFIX}{}_{}", job.name, change.as_str());
        let condition = condition.as_deref();
        let condition = condition.map_or(String::new(), |sql| format!(" when ({sql})"));
        let statement = format!(
            "create or replace trigger {} after {} on {} for each row{condition} \
             execute function passerelle.enqueue({}, {}, '{}')",
            quoted(&name),
            change.as_str(),
            qualified(table),
            literal(&job.name),
            literal(key.as_deref().unwrap_or_default()),
            delay.as_secs_f64(),
        );
        (job, name, statement)
    });
    changes.collect()
}

/// A name as SQL writes it.
pub(crate) fn qualified(name: &QualifiedName) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
