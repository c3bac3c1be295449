//! Commits of which one side knows and the other does not yet: those that this gateway has made
//! and that the feed has not delivered, and those that the feed has just delivered.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::dependencies::TableClock;

/// How many delivered commits are remembered. A gateway hears of its own commit from PostgreSQL
/// within milliseconds; one that is heard of later is waited for until the next confirmation.
const DELIVERED: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    blocks: HashMap<u32, Block>,
    delivered: VecDeque<(u32, u64)>,
}

/// Tables that a commit has changed whose position is not known.
#[derive(Debug)]
struct Block {
    clocks: Vec<Arc<TableClock>>,
    /// Nanoseconds on the clock of [`Freshness`](crate::Freshness).
    since: u64,
}

impl Pending {
    /// Position of a commit, if the feed has delivered it lately.
    pub(crate) fn position(&self, xid: u32) -> Option<u64> {
        let mut newest_first = self.delivered.iter().rev();
        newest_first
            .find(|(delivered, _)| *delivered == xid)
            .map(|(_, position)| *position)
    }

    /// Blocks tables until a commit is delivered.
    pub(crate) fn block(&mut self, xid: u32, clocks: Vec<Arc<TableClock>>, since: u64) {
        for clock in &clocks {
            clock.block();
        }
        let block = self.blocks.entry(xid).or_insert(Block {
            clocks: Vec::new(),
            since,
        });
        block.clocks.extend(clocks);
    }

    /// Takes note of a commit whose changes have been written into the clocks.
    pub(crate) fn deliver(&mut self, xid: u32, position: u64) {
        if self.delivered.len() == DELIVERED {
            self.delivered.pop_front();
        }
        self.delivered.push_back((xid, position));
        if let Some(block) = self.blocks.remove(&xid) {
            for clock in &block.clocks {
                clock.change(position);
                clock.unblock();
            }
        }
    }

    /// Lifts the blocks of commits that were made before a moment at which the feed was complete:
    /// what was not delivered has changed nothing that is followed.
    pub(crate) fn confirm(&mut self, moment: u64) {
        self.blocks.retain(|_, block| {
            let stays = block.since >= moment;
            if !stays {
                for clock in &block.clocks {
                    clock.unblock();
                }
            }
            stays
        });
    }

    /// Forgets what was delivered by a feed that is gone.
    pub(crate) fn restart(&mut self) {
        self.delivered.clear();
    }
}
