//! Picks what produces the body (content negotiation, RFC 9110 §12.5.1).

use passerelle_catalog::{Catalog, MediaHandler, QualifiedName};
use passerelle_syntax::MediaType;

use crate::{Handler, PlanError};

/// The first accepted media type that can be produced, and what produces it. Functions of the
/// database come before the built-in handlers; those for one relation need a plain `*` select.
///
/// # Errors
/// [`PlanError::NotAcceptable`] when none can.
pub(crate) fn handler(
    accept: &[MediaType],
    catalog: &Catalog,
    relation: &QualifiedName,
    star: bool,
    plan_enabled: bool,
) -> Result<(Handler, MediaType), PlanError> {
    let produce = |media_type: &MediaType| match media_type {
        MediaType::SingularJson { nulls_stripped } => Some((
            Handler::SingularJson {
                strip: *nulls_stripped,
            },
            media_type.clone(),
        )),
        MediaType::ArrayJsonStrip => Some((Handler::JsonStripped, media_type.clone())),
        MediaType::Plan { .. } => None,
        other => custom(other, catalog, relation, star).or_else(|| built_in(other)),
    };
    accept
        .iter()
        .find_map(|media_type| match media_type {
            MediaType::Plan { subject, .. } if plan_enabled => {
                produce(subject).map(|(handler, _)| (handler, media_type.clone()))
            }
            other => produce(other),
        })
        .ok_or_else(|| {
            PlanError::NotAcceptable(
                accept
                    .iter()
                    .map(|wanted| wanted.mime().into_owned())
                    .collect(),
            )
        })
}

fn built_in(media_type: &MediaType) -> Option<(Handler, MediaType)> {
    match media_type {
        MediaType::Any | MediaType::Json => Some((Handler::Json, MediaType::Json)),
        MediaType::Csv => Some((Handler::Csv, MediaType::Csv)),
        MediaType::GeoJson => Some((Handler::GeoJson, MediaType::GeoJson)),
        _ => None,
    }
}

fn custom(
    media_type: &MediaType,
    catalog: &Catalog,
    relation: &QualifiedName,
    star: bool,
) -> Option<(Handler, MediaType)> {
    let handlers = catalog.media_handlers();
    if handlers.is_empty() {
        return None;
    }
    let wanted = media_type.mime();
    let of_relation = |produced: &str| {
        handlers.iter().find(|handler| {
            star && handler.target.as_ref() == Some(relation) && &*handler.media_type == produced
        })
    };
    let of_any = || {
        handlers
            .iter()
            .find(|handler| handler.target.is_none() && *handler.media_type == *wanted)
    };
    let found = of_relation("*/*")
        .or_else(|| of_relation(&wanted))
        .or_else(of_any)?;
    Some((Handler::Custom(found.clone()), produced(found, media_type)))
}

/// A handler for `*/*` produces bytes of no known type.
fn produced(handler: &MediaHandler, wanted: &MediaType) -> MediaType {
    match (&*handler.media_type, wanted) {
        ("*/*", _) => MediaType::OctetStream,
        (_, wanted) => wanted.clone(),
    }
}
