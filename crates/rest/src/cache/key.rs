//! What a reply is kept under.

use passerelle_cache::{KeyBuilder, ReplyKey};
use passerelle_statement::Statement;
use passerelle_surface::Verbosity;

use super::Policy;
use crate::course::Caller;
use crate::work::Work;

/// Bytes that most keys are made of.
const USUAL: usize = 2048;

impl Policy {
    /// A digest of all that the reply is made from, tables aside: everything that reaches SQL, and
    /// what the reply says beside its body.
    pub(crate) fn key(&self, work: &Work, caller: &Caller<'_>) -> ReplyKey {
        let mut key = KeyBuilder::with_capacity(USUAL);
        key.part(&*self.digest);
        caller.prelude_with(
            work.transaction(),
            work.called(),
            self.settings.reads_request,
            |prelude| key.hashed(prelude),
        );
        let (main, further) = work.statements();
        for statement in [Some(main), further].into_iter().flatten() {
            add(&mut key, statement);
        }
        key.hashed(work.spec());
        key.number(u64::from(caller.settings.verbosity == Verbosity::Verbose));
        key.finish()
    }
}

fn add(key: &mut KeyBuilder, statement: &Statement) {
    key.part(&statement.text);
    key.number(statement.params.len() as u64);
    for param in &statement.params {
        key.optional(param.as_deref());
    }
}
