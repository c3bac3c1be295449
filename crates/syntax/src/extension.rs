//! What a client may ask for beyond `PostgREST`, where it is switched on.

use serde::{Deserialize, Serialize};

/// Something that `PostgREST` does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extension {
    /// The method QUERY: a read whose parameters are in the body.
    Query,
    /// Several requests in one transaction.
    Batch,
    /// `Prefer: update=by-key`: rows of a body are changed each in its own way.
    BulkUpdate,
    /// `Prefer: values=operations`: columns are changed by what they hold.
    AtomicUpdate,
    /// `on_conflict` finds partial unique indexes and takes names of unique indexes.
    IndexConflict,
}

impl Extension {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Query,
        Self::Batch,
        Self::BulkUpdate,
        Self::AtomicUpdate,
        Self::IndexConflict,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The extensions that are switched on; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions(u8);

impl Extensions {
    /// None: `PostgREST`'s behaviour.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub fn all() -> Self {
        Extension::ALL.into_iter().collect()
    }

    /// Whether this one is switched on.
    pub const fn contains(self, extension: Extension) -> bool {
        self.0 & extension.bit() != 0
    }
}

impl FromIterator<Extension> for Extensions {
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        let bits = extensions.into_iter().map(Extension::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_switch_of_its_own() {
        for on in Extension::ALL {
            let extensions = Extensions::from_iter([on]);
            for other in Extension::ALL {
                assert_eq!(extensions.contains(other), on == other, "{on:?} {other:?}");
            }
            assert!(Extensions::all().contains(on) && !Extensions::NONE.contains(on));
        }
    }
}
