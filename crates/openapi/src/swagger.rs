//! Swagger 2.0, equal in value to the document that PostgREST 16 serves.
//!
//! The order of members differs, and what PostgREST says wrongly (parameters named twice, names
//! that are no valid references) is said here as well: tools rely on the names.

mod definitions;
mod parameters;
mod paths;

use serde_json::{Value, json};

use crate::Description;
use crate::comment::{docs_url, title_and_description};
use crate::object::Object;

const JSON: &str = "application/json";
const OBJECT: &str = "application/vnd.pgrst.object+json";
const STRIPPED_OBJECT: &str = "application/vnd.pgrst.object+json;nulls=stripped";

/// Name of the security scheme.
const SCHEME: &str = "JWT";

pub(crate) fn document(description: &Description<'_>) -> Value {
    let tables = description.chosen_tables();
    let routines = description.chosen_routines();
    let (title, text) = title_and_description(description);
    let media_types = json!([JSON, STRIPPED_OBJECT, OBJECT, "text/csv"]);
    let document = Object::new()
        .with("swagger", "2.0")
        .with(
            "info",
            Object::new()
                .with("title", title)
                .with("description", text)
                .with("version", description.version),
        )
        .with(
            "externalDocs",
            Object::new()
                .with("description", "PostgREST Documentation")
                .with("url", docs_url(description)),
        )
        .with("host", description.server.authority())
        .with("basePath", &*description.server.base_path)
        .with("schemes", vec![&*description.server.scheme])
        .with("consumes", media_types.clone())
        .with("produces", media_types)
        .with_filled(
            "definitions",
            definitions::definitions(description.catalog, &tables),
        )
        .with("parameters", parameters::parameters(&tables))
        .with("paths", paths::paths(description, &tables, &routines));
    secured(document, description.security_active).into()
}

fn secured(document: Object, is_active: bool) -> Object {
    if !is_active {
        return document;
    }
    document.with("security", json!([{ SCHEME: [] }])).with(
        "securityDefinitions",
        json!({
            SCHEME: {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "description": "Add the token prepending \"Bearer \" (without quotes) to it",
            }
        }),
    )
}
