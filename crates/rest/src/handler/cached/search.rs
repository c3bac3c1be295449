//! A reply that this process does not have: from other gateways, or from what the database answers.

use std::sync::Arc;
use std::time::Instant;

use actix_web::HttpResponse;
use passerelle_cache::{Found, Kept, Leader, Moment, ReplyKey};
use passerelle_store::SharedReplies;

use crate::cache::{Basis, NewReply, Policy, ReplyCache};

/// The search for one reply.
pub(super) struct Search<'a> {
    pub(super) cache: &'a ReplyCache,
    /// Those that gateways share.
    pub(super) replies: Option<&'a SharedReplies>,
    pub(super) policy: &'a Policy,
    pub(super) key: ReplyKey,
    pub(super) basis: Basis,
    pub(super) begun: Instant,
    /// The moment at which it begins.
    pub(super) found: Moment,
}

impl Search<'_> {
    /// What another gateway has found, if that is right.
    pub(super) async fn of_others(&self) -> Option<Arc<Kept>> {
        let Self { cache, key, .. } = self;
        let subject = (*key, self.policy);
        cache
            .fetch(self.replies?, subject, self.found, &self.basis)
            .await
    }

    /// Keeps what the database has answered, if it may be kept, and tells those who wait for it.
    ///
    /// # Errors
    /// The response as it was, if its body does not lie in memory.
    pub(super) fn end(
        self,
        response: HttpResponse,
        has_own_head: bool,
        leader: Option<Leader>,
    ) -> Result<Arc<Kept>, Box<HttpResponse>> {
        let reply = NewReply::of(response)?;
        let is_kept = !has_own_head && reply.is_kept(self.policy);
        let kept = Arc::new(reply.kept(&self.basis, self.found, self.begun));
        if !is_kept {
            self.cache.forget(&self.key);
        } else if self.cache.keep(self.key, &self.basis, &kept) {
            if let Some(replies) = self.replies {
                self.cache.share(replies, &self.key, &kept);
            }
            if let Some(leader) = leader {
                leader.found(Found {
                    begun: self.begun,
                    reply: Arc::clone(&kept),
                });
            }
        }
        Ok(kept)
    }
}
