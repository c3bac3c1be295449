//! What several tests need.

use passerelle_catalog::{Catalog, QualifiedName, Table};
use passerelle_pg::{ControlEndpoint, IntrospectionSettings, introspect};
use passerelle_testkit::TestDb;

/// The catalogue of these schemas as the superuser sees it.
pub(crate) async fn catalog(db: &TestDb, schemas: &[&str]) -> Catalog {
    catalog_as(&db.url(), schemas).await
}

pub(crate) async fn catalog_as(url: &str, schemas: &[&str]) -> Catalog {
    let settings = IntrospectionSettings {
        schemas: schemas.iter().map(|schema| (*schema).to_owned()).collect(),
        ..IntrospectionSettings::default()
    };
    let mut client = endpoint(url).connect().await.unwrap();
    Catalog::assemble(introspect(&mut client, &settings, 1).await.unwrap())
}

pub(crate) fn endpoint(url: &str) -> ControlEndpoint {
    ControlEndpoint::parse(url).unwrap()
}

pub(crate) fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.table(&QualifiedName::new("api", name)).unwrap()
}
