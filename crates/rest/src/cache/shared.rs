//! Replies that gateways share: what one of them has found, another need not ask for.

use std::sync::Arc;
use std::time::Instant;

use passerelle_cache::{Kept, KeyBuilder, Moment, ReplyKey};
use passerelle_store::SharedReplies;

use super::basis::Basis;
use super::{Policy, ReplyCache};

impl ReplyCache {
    /// What another gateway has found, if it is right now. `session` is a moment of now.
    pub(crate) async fn fetch(
        &self,
        replies: &SharedReplies,
        (key, policy): (ReplyKey, &Policy),
        session: Moment,
        basis: &Basis,
    ) -> Option<Arc<Kept>> {
        let name = self.name(&key, session)?;
        let (bytes, left) = replies.get(&name).await.ok()??;
        let (on, grace) = (basis.on.clone(), basis.grace);
        let kept = Kept::decode(&bytes, left, policy.most_bytes, on, grace, |as_of, on| {
            self.freshness.holds_at(as_of, session, on, Instant::now())
        })?;
        let kept = Arc::new(kept);
        self.keep(key, basis, &kept).then_some(kept)
    }

    /// Hands on what was found, beside everything else.
    pub(crate) fn share(&self, replies: &SharedReplies, key: &ReplyKey, kept: &Arc<Kept>) {
        let Some(name) = self.name(key, kept.found) else {
            return;
        };
        let (replies, kept) = (replies.clone(), Arc::clone(kept));
        tokio::spawn(async move {
            let Some(bytes) = kept.encode() else { return };
            // Redis gone or full is nobody's failure.
            let _put = replies.put(&name, &bytes, kept.ttl).await;
        });
    }

    /// Positions of the WAL mean the same within one life of one server; what is written, within
    /// one version of this program.
    fn name(&self, key: &ReplyKey, session: Moment) -> Option<String> {
        let identity = self.freshness.identity(session)?;
        let mut name = KeyBuilder::default();
        name.part(env!("CARGO_PKG_VERSION"));
        name.part(&*identity).part(key.as_bytes());
        Some(name.finish().to_hex())
    }
}
