//! The `Prefer` header (RFC 7240) with the preferences that `PostgREST` knows.

use crate::{Exposure, Extension, Extensions};

/// All preferences of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `return=`
    pub representation: Option<Representation>,
    /// `count=`
    pub count: Option<Count>,
    /// `tx=`; only where the server allows the override.
    pub transaction: Option<TransactionEnd>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `timezone=`, as written.
    pub timezone: Option<String>,
    /// `max-affected=`
    pub max_affected: Option<u64>,
    /// `update=`; only where [`Extension::BulkUpdate`] is switched on.
    pub update: Option<UpdateMatch>,
    /// `values=`; only where [`Extension::AtomicUpdate`] is switched on.
    pub values: Option<ValueForm>,
    /// Preferences that are not known, or whose value is not, as written; an error under
    /// `handling=strict`.
    pub invalid: Vec<String>,
}

/// What an insert does with rows that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Resolution {
    MergeDuplicates,
    IgnoreDuplicates,
}

/// What a write answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Representation {
    Full,
    HeadersOnly,
    Minimal,
}

/// How the total number of rows is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Count {
    Exact,
    Planned,
    Estimated,
}

/// How the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum TransactionEnd {
    Commit,
    Rollback,
}

/// What stands for a key that is missing in a bulk insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// NULL.
    Null,
}

/// How an update finds the rows it changes, beside its filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMatch {
    /// Each row of the body is for the one with its key.
    ByKey,
}

/// What the values of an update's body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueForm {
    /// They may be operations on what the column holds.
    Operations,
}

/// What happens on a preference that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Handling {
    Strict,
    Lenient,
}

impl Preferences {
    /// Reads all `Prefer` lines. Of several values of one preference the first counts. The end of
    /// the transaction is only heard where it may be overridden, and extensions are only known where
    /// they are switched on.
    pub fn read(headers: &[(&str, &str)], exposure: &Exposure) -> Self {
        let mut preferences = Self::default();
        // A value that is no number is the first value all the same.
        let mut max_affected_seen = false;
        for (name, value) in headers {
            if *name != "prefer" || value.is_empty() {
                continue;
            }
            for preference in value.split(',') {
                let preference = preference.trim_ascii();
                if let Some(number) = preference.strip_prefix("max-affected=") {
                    if !max_affected_seen {
                        preferences.max_affected = number.trim().parse().ok();
                    }
                    max_affected_seen = true;
                } else if !preferences.set(preference, exposure.extensions) {
                    preferences.invalid.push(preference.to_owned());
                }
            }
        }
        if !exposure.allow_transaction_override {
            preferences.transaction = None;
        }
        preferences
    }

    /// Whether the preference is known; it is set unless it was.
    fn set(&mut self, preference: &str, extensions: Extensions) -> bool {
        if let Some(zone) = preference.strip_prefix("timezone=") {
            self.timezone.get_or_insert_with(|| zone.to_owned());
        } else if let Some(resolution) = Resolution::read(preference) {
            self.resolution.get_or_insert(resolution);
        } else if let Some(representation) = Representation::read(preference) {
            self.representation.get_or_insert(representation);
        } else if let Some(count) = Count::read(preference) {
            self.count.get_or_insert(count);
        } else if let Some(end) = TransactionEnd::read(preference) {
            self.transaction.get_or_insert(end);
        } else if let Some(missing) = Missing::read(preference) {
            self.missing.get_or_insert(missing);
        } else if let Some(handling) = Handling::read(preference) {
            self.handling.get_or_insert(handling);
        } else if extensions.contains(Extension::BulkUpdate)
            && let Some(update) = UpdateMatch::read(preference)
        {
            self.update.get_or_insert(update);
        } else if extensions.contains(Extension::AtomicUpdate)
            && let Some(values) = ValueForm::read(preference)
        {
            self.values.get_or_insert(values);
        } else {
            return false;
        }
        true
    }
}

/// Gives a preference its two directions from one table.
macro_rules! preference {
    ($name:ident { $($variant:ident => $text:literal,)+ }) => {
        impl $name {
            /// The preference as it is written in `Prefer` and `Preference-Applied`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            fn read(preference: &str) -> Option<Self> {
                match preference {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

preference!(Resolution {
    MergeDuplicates => "resolution=merge-duplicates",
    IgnoreDuplicates => "resolution=ignore-duplicates",
});

preference!(Representation {
    Full => "return=representation",
    HeadersOnly => "return=headers-only",
    Minimal => "return=minimal",
});

preference!(Count {
    Exact => "count=exact",
    Planned => "count=planned",
    Estimated => "count=estimated",
});

preference!(TransactionEnd {
    Commit => "tx=commit",
    Rollback => "tx=rollback",
});

preference!(Missing {
    Default => "missing=default",
    Null => "missing=null",
});

preference!(Handling {
    Strict => "handling=strict",
    Lenient => "handling=lenient",
});

preference!(UpdateMatch {
    ByKey => "update=by-key",
});

preference!(ValueForm {
    Operations => "values=operations",
});
