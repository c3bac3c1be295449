//! What the database has to be asked for a socket, while the socket goes on: one thing after the other.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::Principal;
use passerelle_pg::chain;
use passerelle_surface::SessionRefusal;
use serde_json::json;
use tokio::time::timeout;

use crate::changes::Spec;
use crate::frame::Incoming;
use crate::join::{JoinConfig, Replay};
use crate::outlet::Audience;
use crate::rights::Rights;
use crate::state::Shared;
use crate::topic::{Broadcast, Name, Said};

/// Longest time for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages that are said again at most.
const REPLAYED: i32 = 25;
const REPLAY: &str = "select id::text, event, payload \
    from passerelle.old_messages($1, (to_timestamp($2::text::float8) at time zone 'UTC')::timestamp, $3)";

/// Something that is under way for a socket.
pub(crate) type Errand = Pin<Box<dyn Future<Output = Outcome>>>;

/// What has come of it.
pub(crate) enum Outcome {
    /// Of a join.
    Join {
        incoming: Incoming,
        admitted: Result<Box<Admitted>, Refusal>,
    },
    /// Of another token for a channel.
    Token {
        topic: String,
        join: u64,
        held: Result<(Principal, Rights), Refusal>,
    },
    /// What was said on a channel before.
    Replay {
        topic: String,
        join: u64,
        said: Vec<(String, Broadcast)>,
    },
}

/// Somebody who may join.
pub(crate) struct Admitted {
    pub(crate) config: JoinConfig,
    pub(crate) principal: Principal,
    pub(crate) name: Name,
    pub(crate) rights: Rights,
    /// What is wanted of changes.
    pub(crate) specs: Vec<Arc<Spec>>,
    /// What is wrong with the rest.
    pub(crate) faults: Vec<String>,
}

/// Why somebody may not do something.
pub(crate) struct Refusal {
    /// For the client.
    pub(crate) reason: String,
    /// It is not known whether they may: they may try again.
    pub(crate) is_passing: bool,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_passing: false,
        }
    }

    fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_passing: true,
        }
    }
}

/// Somebody wants to join: by a token of their own, or as whoever opened the socket.
pub(crate) fn join(
    shared: Arc<Shared>,
    incoming: Incoming,
    name: Name,
    config: JoinConfig,
    caller: Caller,
) -> Errand {
    Box::pin(async move {
        let admitted = in_time(async {
            let principal = shared.principal(caller).await?;
            let rights = shared.rights_of(&principal, &name).await?;
            let (specs, faults) = shared.specs(&config, &principal).await;
            Ok(Box::new(Admitted {
                config,
                principal,
                name,
                rights,
                specs,
                faults,
            }))
        });
        let admitted = admitted.await;
        Outcome::Join { incoming, admitted }
    })
}

/// Somebody gives another token for a channel.
pub(crate) fn token(
    shared: Arc<Shared>,
    topic: String,
    name: Name,
    join: u64,
    token: String,
) -> Errand {
    Box::pin(async move {
        let held = in_time(async {
            let principal = shared.principal(Caller::Token(token)).await?;
            let rights = shared.rights_of(&principal, &name).await?;
            Ok((principal, rights))
        });
        let held = held.await;
        Outcome::Token { topic, join, held }
    })
}

/// Somebody wants to hear what was said on a channel before.
pub(crate) fn replay(shared: Arc<Shared>, topic: String, join: u64, replay: Replay) -> Errand {
    Box::pin(async move {
        let said = timeout(PATIENCE, shared.said_before(&topic, replay)).await;
        let said = said.unwrap_or_default();
        Outcome::Replay { topic, join, said }
    })
}

async fn in_time<T>(asked: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let late = || Refusal::passing("The database does not answer at the moment");
    timeout(PATIENCE, asked)
        .await
        .unwrap_or_else(|_| Err(late()))
}

/// By what somebody is known.
pub(crate) enum Caller {
    Token(String),
    Known(Principal),
}

impl Shared {
    async fn principal(&self, caller: Caller) -> Result<Principal, Refusal> {
        let principal = match caller {
            Caller::Known(principal) => principal,
            Caller::Token(token) => self
                .verify(&token)
                .map_err(|error| Refusal::new(format!("InvalidJWTToken: {error}")))?,
        };
        let now = (self.clock)().seconds();
        if crate::channel::expiry(&principal).is_some_and(|expires| expires <= now) {
            return Err(Refusal::new("InvalidJWTToken: Token has expired"));
        }
        if let (Some(ended), Some(session)) = (&self.ended, principal.session()) {
            ended.check(session).await.map_err(|error| {
                let reason = format!("InvalidJWTToken: {error}");
                match error {
                    SessionRefusal::Ended => Refusal::new(reason),
                    SessionRefusal::Unknown => Refusal::passing(reason),
                }
            })?;
        }
        Ok(principal)
    }

    async fn rights_of(&self, principal: &Principal, name: &Name) -> Result<Rights, Refusal> {
        let rights = self.rights(principal, name).await.map_err(|error| {
            let error = chain(&error);
            tracing::warn!(error, "it cannot be told who may read from a channel");
            Refusal::passing("It cannot be told whether you may read from this Channel")
        })?;
        if !rights.reads {
            return Err(Refusal::new(format!(
                "Unauthorized: You do not have permissions to read from this Channel topic: {}",
                name.name
            )));
        }
        Ok(rights)
    }

    async fn specs(
        &self,
        config: &JoinConfig,
        principal: &Principal,
    ) -> (Vec<Arc<Spec>>, Vec<String>) {
        let (mut specs, mut faults) = (Vec::new(), Vec::new());
        let role = Audience::of(principal).role;
        for binding in &config.postgres_changes {
            match self.spec(binding, &role).await {
                Ok(spec) => specs.push(Arc::new(spec)),
                Err(fault) => faults.push(fault),
            }
        }
        (specs, faults)
    }

    async fn said_before(&self, topic: &str, replay: Replay) -> Vec<(String, Broadcast)> {
        let most = replay.limit.unwrap_or(REPLAYED).clamp(1, REPLAYED);
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this age are exact"
        )]
        let since = (replay.since as f64 / 1000.0).to_string();
        let name = topic.strip_prefix(crate::topic::PREFIX).unwrap_or_default();
        let rows = match self.rules.ask(REPLAY, &[&name, &since, &most]).await {
            Ok(rows) => rows,
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "what was said before cannot be said again");
                return Vec::new();
            }
        };
        let said = rows.iter().map(|row| {
            let text = |column: usize| row.try_get::<_, String>(column).unwrap_or_default();
            let id = text(0);
            let meta = json!({ "id": id, "replayed": true }).to_string();
            let (event, said) = (text(1), Said::Json(text(2)));
            (id, Broadcast { event, said, meta })
        });
        said.collect()
    }
}
