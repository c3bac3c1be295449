//! Moments of schedules, recorded as jobs when they come.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use passerelle_pg::ControlEndpoint;
use tokio::time::sleep;

use crate::spec::Cause;
use crate::workers::{Crew, LOST};

/// No schedule is looked at more rarely.
const TICK: Duration = Duration::from_secs(30);

const SCHEDULE: &str = "select passerelle.schedule_job($1, $2::text::timestamptz)";

/// Records jobs when their moments come.
pub(crate) async fn keep_schedules(crew: Arc<Crew>) {
    let (endpoint, jobs) = (&crew.endpoint, &crew.jobs);
    let schedules = || {
        jobs.iter().filter_map(|job| match &job.cause {
            Cause::Schedule(schedule) => Some((&job.name, schedule)),
            Cause::Rows { .. } | Cause::Gateway => None,
        })
    };
    if schedules().next().is_none() {
        return;
    }
    let mut since = now();
    loop {
        let next = schedules().filter_map(|(_, schedule)| schedule.after(since));
        let next = next.min().unwrap_or(since + TICK);
        let wait = (next - now()).to_std().unwrap_or_default().min(TICK);
        sleep(wait).await;
        let until = now();
        let mut all = true;
        for (name, schedule) in schedules() {
            let Some(due) = schedule.after(since).filter(|due| *due <= until) else {
                continue;
            };
            if let Err(error) = record(endpoint, name, due).await {
                tracing::warn!(job = name.as_str(), %error, "a moment of a schedule was not recorded");
                all = false;
            }
        }
        if all {
            since = until;
        } else {
            sleep(LOST).await;
        }
    }
}

async fn record(
    endpoint: &ControlEndpoint,
    name: &str,
    due: DateTime<Utc>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let client = endpoint.connect().await?;
    client.query(SCHEDULE, &[&name, &due.to_rfc3339()]).await?;
    Ok(())
}

/// The time.
pub(crate) fn now() -> DateTime<Utc> {
    #[expect(
        clippy::disallowed_methods,
        reason = "schedules follow the calendar, and messages say when they were sent"
    )]
    std::time::SystemTime::now().into()
}
