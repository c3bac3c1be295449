//! Accounts of all presences of this gateway, for those that have missed some.

use super::Relay;
use super::letter::What;
use crate::topic::Topics;

/// Bytes of presences that are told at a time; a letter with them is well below what the bus carries.
const PART: usize = 128 * 1024;

/// Gives an account whenever somebody wants one; what is asked meanwhile is answered by one more.
pub(super) async fn give_accounts(topics: &Topics, relay: &Relay) {
    let mut account = 0;
    loop {
        relay.asked.notified().await;
        account += 1;
        if !give_account(topics, relay, account).await {
            tracing::debug!("other gateways are not told all presences of this one");
        }
    }
}

/// Tells all presences of this gateway; whether all of it has gone out. Parts are taken and sent under the lock of their channel, as
/// changes are, so that both are told in the order in which they are true. What changes meanwhile belongs to the account.
pub(super) async fn give_account(topics: &Topics, relay: &Relay, account: u64) -> bool {
    if !send(relay, &What::Begin { account }).await {
        return false;
    }
    for topic in topics.all() {
        let mut after = None;
        while topic.presences().has_own() {
            let Some(room) = relay.room().await else {
                return false;
            };
            let sending = {
                let presences = topic.presences();
                let (s, rest) = presences.part(after.as_ref(), PART);
                after = rest;
                let (t, p) = (topic.name.name.to_string(), topic.name.is_private);
                (!s.is_empty()).then(|| room.send(&What::State { t, p, s }))
            };
            if let Some(sending) = sending
                && !sending.has_gone().await
            {
                return false;
            }
            if after.is_none() {
                break;
            }
        }
    }
    send(relay, &What::End { account }).await
}

async fn send(relay: &Relay, what: &What) -> bool {
    match relay.room().await {
        Some(room) => room.send(what).has_gone().await,
        None => false,
    }
}
