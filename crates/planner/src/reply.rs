//! What the reply to a read says beside its body.

use passerelle_syntax::{ApiRequest, Count, Handling, MediaType, Preferences, TransactionEnd};

use crate::ReplySpec;
use crate::draft::Draft;

pub(crate) fn of_read(
    request: &ApiRequest,
    draft: &Draft<'_>,
    media_type: MediaType,
    headers_only: bool,
) -> ReplySpec {
    let mut legacy_targets = Vec::new();
    draft.legacy_targets(&mut legacy_targets);
    ReplySpec {
        singular: matches!(media_type, MediaType::SingularJson { .. }),
        media_type,
        headers_only,
        range: request.range,
        location: location(draft.name, &request.canonical_query),
        profile: request
            .negotiated_by_profile
            .then(|| request.schema.clone()),
        applied: applied(&request.preferences),
        legacy_targets,
    }
}

fn location(relation: &str, query: &str) -> String {
    if query.is_empty() {
        format!("/{relation}")
    } else {
        format!("/{relation}?{query}")
    }
}

/// Preferences that a read honours, in the order `PostgREST` names them.
fn applied(preferences: &Preferences) -> Vec<String> {
    let count = preferences.count.map(|count| match count {
        Count::Exact => "count=exact",
        Count::Planned => "count=planned",
        Count::Estimated => "count=estimated",
    });
    let transaction = preferences.transaction.map(|end| match end {
        TransactionEnd::Commit => "tx=commit",
        TransactionEnd::Rollback => "tx=rollback",
    });
    let handling = preferences.handling.map(|handling| match handling {
        Handling::Strict => "handling=strict",
        Handling::Lenient => "handling=lenient",
    });
    let fixed = [count, transaction, handling]
        .into_iter()
        .flatten()
        .map(str::to_owned);
    let timezone = preferences
        .timezone
        .as_ref()
        .map(|zone| format!("timezone={zone}"));
    fixed.chain(timezone).collect()
}
