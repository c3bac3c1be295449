//! OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.1>), with schemas of JSON Schema 2020-12.
//!
//! Says what Swagger 2.0 says, and what that cannot: which columns an insert requires, NULL,
//! results of functions, overloads, errors. It is for `Accept:
//! application/openapi+json;version=3.1`.

mod key;
mod parameters;
mod relations;
mod responses;
mod results;
mod routines;
mod schemas;

use serde_json::{Value, json};

use crate::Description;
use crate::comment::{docs_url, title_and_description};
use crate::object::Object;

const JSON: &str = "application/json";
const OBJECT: &str = "application/vnd.pgrst.object+json";
const CSV: &str = "text/csv";
const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// Name of the security scheme.
const SCHEME: &str = "JWT";

pub(crate) fn document(description: &Description<'_>) -> Value {
    let tables = description.chosen_tables();
    let (title, text) = title_and_description(description);
    let mut paths = Object::new().with("/", root());
    for table in &tables {
        paths.put(key::path(&["", &table.name.name]), relations::path(table));
    }
    for overloads in description.chosen_routines() {
        if let Some(routine) = overloads.last() {
            paths.put(
                key::path(&["", "rpc", &routine.name.name]),
                routines::path(description, &overloads),
            );
        }
    }
    let components = Object::new()
        .with_filled("schemas", schemas::rows(description.catalog, &tables))
        .with("parameters", parameters::components(&tables))
        .with_filled("requestBodies", relations::request_bodies(&tables))
        .with("responses", responses::components(&tables));
    let document = Object::new()
        .with("openapi", "3.1.1")
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
        .with("servers", json!([{ "url": description.server.url() }]))
        .with("paths", paths);
    if !description.security_active {
        return document.with("components", components).into();
    }
    let schemes = json!({
        SCHEME: { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
    });
    document
        .with("components", components.with("securitySchemes", schemes))
        .with("security", json!([{ SCHEME: [] }]))
        .into()
}

fn root() -> Value {
    let content = json!({ "schema": { "type": "object" } });
    json!({
        "get": {
            "tags": ["Introspection"],
            "summary": "Description of the API (this document)",
            "responses": {
                "200": {
                    "description": "OK",
                    "content": {
                        "application/openapi+json": content,
                        "application/openapi+json;version=3.1": content,
                    },
                },
                "default": responses::error(),
            },
        }
    })
}
