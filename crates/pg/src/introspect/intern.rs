//! One copy of each name while a catalogue is read: most tables have an `id`.

use std::collections::HashSet;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Interner {
    known: HashSet<Arc<str>>,
}

impl Interner {
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&new));
        new
    }
}
