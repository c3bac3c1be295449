//! The description of a schema: asks what the caller may see of it, and writes the document.

use std::collections::HashSet;

use passerelle_catalog::{Catalog, Oid, QualifiedName};
use passerelle_openapi::{
    Description, RoutineChoice, ServerAddress, TableChoice, openapi31, swagger,
};
use passerelle_pg::{accessible_routines, accessible_tables, schema_comment};
use passerelle_wire::{Pool, ResultSet};

use crate::course::Course;
use crate::run::RunError;

/// Version of the documentation that descriptions refer to.
const DOCS_VERSION: &str = "latest";

/// What the configuration says about descriptions.
#[derive(Clone, Debug)]
pub struct DescribeSettings {
    /// What the caller has no privilege on is left out (`openapi-mode`).
    pub follow_privileges: bool,
    /// A token is asked for (`openapi-security-active`).
    pub security_active: bool,
    /// Where clients reach the API (`openapi-server-proxy-uri`).
    pub server: ServerAddress,
    /// A function that answers in place of the description (`db-root-spec`).
    pub root_function: Option<QualifiedName>,
}

/// Which document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Swagger,
    OpenApi31,
}

impl Document {
    /// The document that `Accept` asks for: `version=3.1` is a parameter of the media type.
    pub(crate) fn of(accept: Option<&str>) -> Self {
        let wanted = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            parts.next() == Some("application/openapi+json")
                && parts.any(|parameter| matches!(parameter, "version=3.1" | "version=\"3.1\""))
        };
        match accept {
            Some(accept) if accept.split(',').any(wanted) => Self::OpenApi31,
            _ => Self::Swagger,
        }
    }
}

/// What of a schema is described.
pub(crate) struct Visible {
    tables: Option<HashSet<QualifiedName>>,
    routines: Option<HashSet<Oid>>,
    comment: Option<String>,
}

/// Asks the database, in one transaction, what the caller sees.
pub(crate) async fn visible(
    pool: &Pool,
    course: &Course,
    schema: &str,
    settings: &DescribeSettings,
) -> Result<Visible, RunError> {
    let mut connection = pool.acquire(course.scope.role()).await?;
    let comment = schema_comment(schema);
    if !settings.follow_privileges {
        let result = connection.fly(&course.flight(&comment)).await?;
        return Ok(Visible {
            tables: None,
            routines: None,
            comment: first(&result),
        });
    }
    let tables = accessible_tables(schema);
    let (tables, mut transaction) = connection.open(&course.flight(&tables)).await?;
    let tables = tables
        .rows()
        .filter_map(|row| Some(QualifiedName::new(row.text(0)?, row.text(1)?)));
    let tables = tables.collect();
    let routines = transaction
        .run(&course.scope, &accessible_routines(schema))
        .await?;
    let routines = routines.rows().filter_map(|row| row.text(0)?.parse().ok());
    let routines = routines.collect();
    let comment = transaction.run(&course.scope, &comment).await?;
    let comment = first(&comment);
    transaction.commit().await?;
    Ok(Visible {
        tables: Some(tables),
        routines: Some(routines),
        comment,
    })
}

/// Writes the document.
pub(crate) fn document(
    document: Document,
    catalog: &Catalog,
    schema: &str,
    search_path: &[&str],
    visible: &Visible,
    settings: &DescribeSettings,
) -> String {
    let description = Description {
        catalog,
        schema,
        schema_comment: visible.comment.as_deref(),
        tables: visible
            .tables
            .as_ref()
            .map_or(TableChoice::All, TableChoice::Only),
        routines: visible
            .routines
            .as_ref()
            .map_or(RoutineChoice::All, RoutineChoice::Only),
        type_path: if settings.follow_privileges {
            search_path
        } else {
            &[]
        },
        version: env!("CARGO_PKG_VERSION"),
        docs_version: DOCS_VERSION,
        server: &settings.server,
        security_active: settings.security_active,
    };
    match document {
        Document::Swagger => swagger(&description),
        Document::OpenApi31 => openapi31(&description),
    }
}

fn first(result: &ResultSet) -> Option<String> {
    let text = result.text(0, 0).filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_document_is_asked_for_by_version() {
        for (accept, expected) in [
            (None, Document::Swagger),
            (Some("*/*"), Document::Swagger),
            (Some("application/openapi+json"), Document::Swagger),
            (
                Some("application/openapi+json;version=3.1"),
                Document::OpenApi31,
            ),
            (
                Some("text/html, application/openapi+json; version=3.1"),
                Document::OpenApi31,
            ),
            (Some("application/json;version=3.1"), Document::Swagger),
        ] {
            assert_eq!(Document::of(accept), expected, "{accept:?}");
        }
    }
}
