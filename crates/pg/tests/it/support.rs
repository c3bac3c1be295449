//! What several tests need.

use std::path::PathBuf;

use passerelle_catalog::{Catalog, QualifiedName, Table};
use passerelle_cluster::{Durability, Postgres, PostgresSettings};
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

/// A server of one test, which it may stop and start.
pub(crate) struct Private {
    pub(crate) settings: PostgresSettings,
    server: Option<Postgres>,
    pub(crate) home: PathBuf,
    url: String,
}

impl Private {
    pub(crate) async fn start(name: &str) -> Self {
        let name = format!("pg-{name}-{}", std::process::id());
        let mut settings = PostgresSettings::new(std::env::temp_dir().join(name));
        settings.durability = Durability::Volatile;
        let server = Postgres::start(&settings).await.unwrap();
        settings.port = Some(server.endpoint().port);
        Self {
            home: server.directory().path().to_owned(),
            url: server.endpoint().url("postgres"),
            server: Some(server),
            settings,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await.unwrap();
        }
    }

    pub(crate) async fn resume(&mut self) {
        let server = Postgres::start(&self.settings).await.unwrap();
        self.url = server.endpoint().url("postgres");
        self.server = Some(server);
    }

    pub(crate) async fn remove(mut self) {
        self.stop().await;
        std::fs::remove_dir_all(self.home).unwrap();
    }
}
