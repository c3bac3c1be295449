//! Reads of what may be kept: from the cache where it has the reply, else from the database, once for
//! all who ask for the same at the same time.

mod refresh;
mod search;

use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpResponse;
use passerelle_cache::{Found, Kept, Leader, ReplyKey, Turn};
use passerelle_identity::Principal;
use passerelle_planner::Handler;
use passerelle_surface::Stage;

use self::search::Search;
use super::{Exchange, failed};
use crate::cache::{Audience, Entry, Outcome, Policy, ReplyCache, Sharing, mark, wants_fresh};
use crate::course::Caller;
use crate::error::RestError;
use crate::work::{Done, Work};

/// How often somebody else's query is waited for, before a request asks by itself.
const PATIENCE: u32 = 2;

impl Exchange<'_> {
    /// Answers a read of something that the cache is configured for.
    pub(super) async fn cached(
        &mut self,
        cache: &ReplyCache,
        policy: &Arc<Policy>,
        mut work: Work,
        caller: &Caller<'_>,
    ) -> Result<HttpResponse, RestError> {
        if !may_be_kept(policy, &work, caller) {
            return self.bypass(policy, work, caller).await;
        }
        let arrived = Instant::now();
        let key = policy.key(&work, caller);
        let entry = Entry {
            request: caller.headers,
            sharing: if caller.principal.is_anonymous() {
                Sharing::Anyone
            } else {
                Sharing::Nobody
            },
            is_conditional: matches!(caller.method, "GET" | "HEAD"),
            headers_only: work.spec().headers_only,
        };
        let answer = |kept: &Kept, outcome| {
            policy.counters.count(outcome);
            Ok(entry.respond(kept, outcome, Instant::now()))
        };
        self.stopwatch.lap(Stage::Plan);
        if let Some(kept) = cache.get(&key, arrived) {
            return answer(&kept, Outcome::Hit);
        }
        if is_nobody(caller.principal)
            && let Some(kept) = cache.stale(&key, arrived)
        {
            match refresh::begin(self.state, policy, key, work, caller) {
                Ok(()) => return answer(&kept, Outcome::Stale),
                Err(given_back) => work = *given_back,
            }
        }
        let basis = match cache.basis(policy, &work, caller) {
            Ok(basis) => basis,
            Err(reason) => {
                tracing::debug!(%reason, "a reply is not kept");
                return self.bypass(policy, work, caller).await;
            }
        };
        // What nobody can keep, nobody need wait for.
        if cache.freshness().moment(arrived).is_none() {
            return self.bypass(policy, work, caller).await;
        }
        let leader = match turn(cache, key, arrived).await {
            Ok(leader) => leader,
            Err((kept, outcome)) => return answer(&kept, outcome),
        };
        let begun = Instant::now();
        let Some(found) = cache.freshness().moment(begun) else {
            return self.bypass(policy, work, caller).await;
        };
        let search = Search {
            cache,
            replies: self.state.replies.as_ref(),
            policy,
            key,
            basis,
            begun,
            found,
        };
        if let Some(reply) = search.of_others().await {
            let response = answer(&reply, Outcome::Hit);
            if let Some(leader) = leader {
                leader.found(Found {
                    begun: reply.at,
                    reply,
                });
            }
            return response;
        }
        let done = self.ask(work, caller).await?;
        let has_own_head = done.has_own_head();
        let response = done.reply(caller.settings.verbosity)?;
        self.stopwatch.lap(Stage::Reply);
        match search.end(response, has_own_head, leader) {
            Ok(kept) => answer(&kept, Outcome::Miss),
            Err(response) => Ok(*response),
        }
    }

    /// Answers from the database, and says so.
    async fn bypass(
        &mut self,
        policy: &Policy,
        work: Work,
        caller: &Caller<'_>,
    ) -> Result<HttpResponse, RestError> {
        policy.counters.count(Outcome::Bypass);
        let done = self.ask(work, caller).await?;
        let mut response = done.reply(caller.settings.verbosity)?;
        mark(response.headers_mut(), Outcome::Bypass);
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }

    async fn ask(&mut self, work: Work, caller: &Caller<'_>) -> Result<Done, RestError> {
        let course = work.course(caller);
        let (main, further) = work.statements();
        self.note(&course, main, further);
        let done = work.run(&self.state.pool, &course, None).await;
        self.stopwatch.lap(Stage::Database);
        done.map_err(|error| failed(error, caller.principal))
    }
}

/// Whether the caller is not even somebody by a token of the anonymous role.
pub(crate) fn is_nobody(principal: &Principal) -> bool {
    principal.is_anonymous() && principal.subject().is_none() && principal.session_id().is_none()
}

/// Whether the reply to a caller may be kept at all, or a kept one be handed to it.
fn may_be_kept(policy: &Policy, work: &Work, caller: &Caller<'_>) -> bool {
    let transaction = work.transaction();
    let is_meant = match policy.settings.audience {
        Audience::Anonymous => caller.principal.is_anonymous(),
        Audience::Everyone => true,
    };
    let role = caller.principal.role();
    let level = work.called().and_then(|call| call.isolation.as_deref());
    is_meant
        && transaction.read_only
        && !caller.settings.transaction_mode.rolls_back(transaction.end)
        // What the function reads that runs before every request is not known.
        && caller.settings.pre_request.is_none()
        && level.or_else(|| caller.catalog.role_isolation(role)).is_none()
        && !matches!(work.handler(), Handler::Custom(_) | Handler::None)
        && !wants_fresh(caller.headers)
}

/// Takes the turn to ask the database. Somebody else's reply is as good, if it is right or was asked
/// for after this request had arrived.
async fn turn(
    cache: &ReplyCache,
    key: ReplyKey,
    arrived: Instant,
) -> Result<Option<Leader>, (Arc<Kept>, Outcome)> {
    for _ in 0..PATIENCE {
        match cache.flights.turn(key).await {
            Turn::Mine(leader) => {
                // It may have been kept just before.
                return match cache.get(&key, Instant::now()) {
                    Some(kept) => Err((kept, Outcome::Hit)),
                    None => Ok(Some(leader)),
                };
            }
            Turn::Waited(Some(found)) if found.begun >= arrived => {
                return Err((found.reply, Outcome::Miss));
            }
            Turn::Waited(Some(found)) if cache.holds(&found.reply, Instant::now()) => {
                return Err((found.reply, Outcome::Hit));
            }
            Turn::Waited(_) => {}
        }
    }
    Ok(None)
}
