//! Replies that are asked for anew beside the request that was answered with the old one.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::HeaderMap;
use passerelle_cache::{Found, Leader, ReplyKey};
use passerelle_catalog::Catalog;
use passerelle_identity::Principal;
use passerelle_pg::chain;

use super::search::Search;
use crate::cache::{Policy, Refreshing, ReplyCache};
use crate::course::Caller;
use crate::error::RestError;
use crate::handler::failed;
use crate::state::{Ready, RestState};
use crate::work::Work;

/// A request without its connection.
struct Refresh {
    state: Arc<RestState>,
    ready: Arc<Ready>,
    catalog: Arc<Catalog>,
    principal: Principal,
    method: String,
    path: String,
    headers: HeaderMap,
    search_path: Arc<str>,
    policy: Arc<Policy>,
    key: ReplyKey,
    /// Counts it while it goes on.
    _place: Refreshing,
}

/// Has a reply asked for anew, unless somebody is at it.
///
/// # Errors
/// What was to be asked, if too many replies are being asked for already.
pub(super) fn begin(
    state: &Arc<RestState>,
    policy: &Arc<Policy>,
    key: ReplyKey,
    work: Work,
    caller: &Caller<'_>,
) -> Result<(), Box<Work>> {
    let (Some(cache), Some(catalog)) = (&state.cache, state.shared.catalog()) else {
        return Err(Box::new(work));
    };
    let ready = state.shared.ready();
    // What the reply is kept under follows from those that the request began with.
    let is_current = std::ptr::eq(&raw const *catalog, caller.catalog)
        && std::ptr::eq(&raw const ready.settings, caller.settings);
    if !is_current {
        return Err(Box::new(work));
    }
    let Some(leader) = cache.flights.try_turn(key) else {
        return Ok(());
    };
    let Some(place) = cache.refreshing() else {
        return Err(Box::new(work));
    };
    let refresh = Refresh {
        state: Arc::clone(state),
        ready,
        catalog,
        principal: caller.principal.clone(),
        method: caller.method.to_owned(),
        path: caller.path.to_owned(),
        headers: caller.headers.clone(),
        search_path: Arc::clone(&caller.search_path),
        policy: Arc::clone(policy),
        key,
        _place: place,
    };
    let cache = Arc::clone(cache);
    actix_web::rt::spawn(async move {
        let key = refresh.key;
        if let Err(error) = refresh.run(&cache, work, leader).await {
            // Whoever asks next is told of it.
            cache.forget(&key);
            tracing::debug!(error = chain(&error), "a reply could not be asked for anew");
        }
    });
    Ok(())
}

impl Refresh {
    async fn run(self, cache: &ReplyCache, work: Work, leader: Leader) -> Result<(), RestError> {
        let caller = Caller {
            settings: &self.ready.settings,
            catalog: &self.catalog,
            principal: &self.principal,
            method: &self.method,
            headers: &self.headers,
            path: &self.path,
            search_path: Arc::clone(&self.search_path),
            leavings: None,
        };
        let begun = Instant::now();
        let (Ok(basis), Some(found)) = (
            cache.basis(&self.policy, &work, &caller),
            cache.freshness().moment(begun),
        ) else {
            return Ok(());
        };
        let search = Search {
            cache,
            replies: self.state.replies.as_ref(),
            policy: &self.policy,
            key: self.key,
            basis,
            begun,
            found,
        };
        if let Some(reply) = search.of_others().await {
            leader.found(Found {
                begun: reply.at,
                reply,
            });
            return Ok(());
        }
        let course = work.course(&caller);
        let done = work.run(&self.state.pool, &course, None).await;
        let done = done.map_err(|error| failed(error, &self.principal))?;
        let has_own_head = done.has_own_head();
        let response = done.reply(self.ready.settings.verbosity)?;
        // A body that is not kept is nobody's.
        let _kept = search.end(response, has_own_head, Some(leader));
        Ok(())
    }
}
