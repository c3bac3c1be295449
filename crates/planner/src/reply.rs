//! What a reply says beside its body.

use passerelle_syntax::{
    ApiRequest, Count, Handling, MediaType, Missing, Mutation, Preferences, Representation,
    Resolution, RowRange, TransactionEnd, UpdateMatch, ValueForm,
};

use crate::draft::Draft;
use crate::{ExplainSpec, ReplySpec};

pub(crate) fn of_read(
    request: &ApiRequest,
    draft: &Draft<'_>,
    media_type: MediaType,
    headers_only: bool,
) -> ReplySpec {
    let query = request.canonical_query.as_deref();
    let location = query.map(|query| location(draft.name, query));
    ReplySpec {
        headers_only,
        range: request.range,
        location,
        ..common(request, draft, media_type, &Applied::default())
    }
}

/// Of a call: as of a read, save that there is no `Content-Location`.
pub(crate) fn of_call(
    request: &ApiRequest,
    draft: &Draft<'_>,
    media_type: MediaType,
    headers_only: bool,
) -> ReplySpec {
    let applied = Applied {
        max_affected: true,
        ..Applied::default()
    };
    ReplySpec {
        headers_only,
        range: request.range,
        ..common(request, draft, media_type, &applied)
    }
}

/// Of a write; `merges` says whether there is a key by which duplicates can be found.
pub(crate) fn of_write(
    request: &ApiRequest,
    draft: &Draft<'_>,
    media_type: MediaType,
    mutation: Mutation,
    merges: bool,
) -> ReplySpec {
    let applied = Applied {
        resolution: mutation == Mutation::Create && merges,
        representation: true,
        missing: matches!(mutation, Mutation::Create | Mutation::Update),
        max_affected: matches!(mutation, Mutation::Update | Mutation::Delete),
        update: mutation == Mutation::Update,
    };
    common(request, draft, media_type, &applied)
}

fn common(
    request: &ApiRequest,
    draft: &Draft<'_>,
    media_type: MediaType,
    applied: &Applied,
) -> ReplySpec {
    let mut legacy_targets = Vec::new();
    draft.legacy_targets(&mut legacy_targets);
    ReplySpec {
        explain: explain(&media_type),
        singular: matches!(media_type, MediaType::SingularJson { .. }),
        media_type,
        headers_only: false,
        range: RowRange::default(),
        location: None,
        profile: request
            .negotiated_by_profile
            .then(|| request.schema.clone()),
        applied: applied.values(&request.preferences),
        legacy_targets,
    }
}

fn explain(media_type: &MediaType) -> Option<ExplainSpec> {
    match media_type {
        MediaType::Plan { json, options, .. } => Some(ExplainSpec {
            json: *json,
            options: options.clone(),
        }),
        _ => None,
    }
}

fn location(relation: &str, query: &str) -> String {
    if query.is_empty() {
        format!("/{relation}")
    } else {
        format!("/{relation}?{query}")
    }
}

/// Preferences that are honoured by some requests only.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each preference is honoured or not"
)]
struct Applied {
    resolution: bool,
    representation: bool,
    missing: bool,
    max_affected: bool,
    update: bool,
}

impl Applied {
    /// Values of `Preference-Applied`, in the order `PostgREST` names them.
    fn values(&self, preferences: &Preferences) -> Vec<String> {
        let Preferences {
            resolution,
            missing,
            representation,
            count,
            transaction,
            handling,
            ..
        } = *preferences;
        let known = [
            resolution
                .filter(|_| self.resolution)
                .map(Resolution::as_str),
            missing.filter(|_| self.missing).map(Missing::as_str),
            representation
                .filter(|_| self.representation)
                .map(Representation::as_str),
            count.map(Count::as_str),
            transaction.map(TransactionEnd::as_str),
            handling.map(Handling::as_str),
        ];
        let mut values: Vec<String> = known.into_iter().flatten().map(str::to_owned).collect();
        values.extend(
            preferences
                .timezone
                .as_ref()
                .map(|zone| format!("timezone={zone}")),
        );
        let strict = preferences.handling == Some(Handling::Strict);
        let max_affected = preferences
            .max_affected
            .filter(|_| self.max_affected && strict);
        values.extend(max_affected.map(|rows| format!("max-affected={rows}")));
        let of_update = [
            preferences.update.map(UpdateMatch::as_str),
            preferences.values.map(ValueForm::as_str),
        ];
        let of_update = of_update.into_iter().flatten().filter(|_| self.update);
        values.extend(of_update.map(str::to_owned));
        values
    }
}
