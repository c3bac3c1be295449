//! The surface over a database of its own, reached as a client would.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot begin has failed"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use bytes::Bytes;
use passerelle_catalog::{Catalog, QualifiedName};
use passerelle_identity::{IdentitySettings, Secret, SigningKey, UnixTime, Verifier, mint};
use passerelle_pg::{IntrospectionSettings, introspect};
use passerelle_planner::PlanSettings;
use passerelle_rest::{
    BatchSettings, CostLimits, CredentialKind, DescribeSettings, ExportSettings, RestSettings,
    RestState, ServerAddress, TransactionMode,
};
use passerelle_store::Store;
use passerelle_surface::{
    Cors, CorsDialect, Frontage, FrontageSettings, HttpLimits, Metrics, RateLimits, TrustedProxies,
    Verbosity,
};
use passerelle_syntax::{Exposure, Extensions, Limits};
use passerelle_testkit::TestDb;
use passerelle_wire::{Endpoint, Pool, PoolSettings};
use serde_json::Value;

pub(crate) const SECRET: &str = "reallyreallyreallyreallyverysafe";

/// The time that all tests happen at.
pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

/// A surface and its database.
pub(crate) struct Api {
    pub(crate) db: Arc<TestDb>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) state: Arc<RestState>,
    pub(crate) metrics: Arc<Metrics>,
}

/// An answer that was read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn settings() -> RestSettings {
    let identity = IdentitySettings {
        secret: Some(Secret::from(SECRET)),
        anon_role: Some("anon".into()),
        ..IdentitySettings::default()
    };
    RestSettings {
        prefix: "/rest/v1".to_owned(),
        verifier: Arc::new(Verifier::new(&identity).unwrap()),
        credentials: CredentialKind::ApiKey,
        exposure: Exposure {
            schemas: vec!["api".to_owned()],
            root: true,
            allow_transaction_override: true,
            extensions: Extensions::NONE,
        },
        extra_search_path: vec!["public".to_owned()],
        limits: Limits {
            query_bytes: 4096,
            query_body_bytes: 65_536,
            embed_depth: 4,
            logic_depth: 4,
            items: 50,
        },
        http_limits: HttpLimits::default(),
        batch: BatchSettings {
            items: 20,
            result_bytes: 100_000,
        },
        exports: ExportSettings {
            at_once: 1,
            stall: Duration::from_mins(5),
            longest: Duration::from_mins(5),
        },
        cost_limits: CostLimits::default(),
        rate_limits: None,
        describe: DescribeSettings {
            follow_privileges: true,
            security_active: false,
            server: ServerAddress::listening("127.0.0.1", 3000),
            root_function: None,
        },
        planning: PlanSettings {
            max_rows: None,
            aggregates_enabled: false,
            legacy_target_names: true,
            expand_star: false,
            plan_enabled: false,
            index_conflict: false,
        },
        transaction_mode: TransactionMode::CommitAllowOverride,
        pre_request: None,
        app_settings: vec![("app.settings.greeting".into(), "hello".into())],
        log_query: false,
        server_timing: false,
        verbosity: Verbosity::Verbose,
    }
}

/// With all extensions.
pub(crate) fn extended() -> RestSettings {
    let settings = settings();
    RestSettings {
        exposure: Exposure {
            extensions: Extensions::all(),
            ..settings.exposure
        },
        planning: PlanSettings {
            index_conflict: true,
            ..settings.planning
        },
        ..settings
    }
}

pub(crate) fn with_pre_request() -> RestSettings {
    let pre_request = Some(QualifiedName::new("api", "pre_request"));
    RestSettings {
        pre_request,
        ..settings()
    }
}

pub(crate) fn state(
    pool: Pool,
    catalog: Option<Arc<Catalog>>,
    settings: RestSettings,
) -> Arc<RestState> {
    let gate = RateLimits::new(Store::memory()).for_worker();
    let catalog = move || catalog.clone();
    let state = RestState::new(pool.clone(), catalog, || NOW, settings);
    Arc::new(state.for_worker(pool, gate, &Store::memory()))
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: RestSettings) -> Self {
        Self::after("", settings).await
    }

    /// A surface over a database in which `sql` has run after the schema.
    pub(crate) async fn after(sql: &str, settings: RestSettings) -> Self {
        let db = TestDb::platform().await;
        db.run(include_str!("schema.sql")).await;
        db.run(sql).await;
        let catalog = Arc::new(Box::pin(read_catalog(&db)).await);
        let endpoint = Endpoint::parse(&db.authenticator_url()).unwrap();
        let pool = Pool::new(
            endpoint,
            PoolSettings {
                max_size: 2,
                ..PoolSettings::default()
            },
        );
        let state = state(pool, Some(Arc::clone(&catalog)), settings);
        Self {
            db: Arc::new(db),
            catalog,
            state,
            metrics: Arc::default(),
        }
    }

    /// The same over another pool.
    pub(crate) fn over(self, pool: Pool) -> Self {
        let catalog = Arc::clone(&self.catalog);
        Self {
            state: state(pool, Some(catalog), settings()),
            ..self
        }
    }

    /// Another surface over the same database.
    pub(crate) fn with_state(&self, state: RestState) -> Self {
        Self {
            db: Arc::clone(&self.db),
            catalog: Arc::clone(&self.catalog),
            state: Arc::new(state),
            metrics: Arc::clone(&self.metrics),
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        self.send(TestRequest::get().uri(&format!("/rest/v1{url}")))
            .await
    }

    pub(crate) async fn get_with(&self, url: &str, headers: &[(&'static str, &str)]) -> Reply {
        self.request(Method::GET, url, headers).await
    }

    pub(crate) async fn request(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Reply {
        self.send(request(method, url, headers)).await
    }

    /// Sends a body.
    pub(crate) async fn send_body(
        &self,
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.send(request(method, url, headers).set_payload(body))
            .await
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        let frontage = Frontage::new(Arc::new(FrontageSettings {
            cors: Cors::new(CorsDialect::Supabase, &[]),
            limits: HttpLimits::default(),
            trusted_proxies: TrustedProxies::default(),
            trace_header: None,
            verbosity: Verbosity::Verbose,
            metrics: Arc::clone(&self.metrics),
        }));
        let state = Arc::clone(&self.state);
        let scope = web::scope("/rest/v1")
            .configure(move |config| passerelle_rest::configure(config, state));
        let app = init_service(App::new().wrap(frontage).service(scope)).await;
        let response = call_service(&app, request.to_request()).await;
        let status = response.status();
        let mut headers = HashMap::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.insert(name.as_str().to_owned(), value);
        }
        let size = format!("{:?}", response.response().body().size());
        headers.insert("body-size".to_owned(), size);
        let bytes = read_body(response).await.to_vec();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Reply {
            status,
            headers,
            body,
            bytes,
        }
    }
}

fn request(method: Method, url: &str, headers: &[(&'static str, &str)]) -> TestRequest {
    let request = TestRequest::with_uri(&format!("/rest/v1{url}")).method(method);
    headers.iter().fold(request, |request, (name, value)| {
        request.append_header((*name, (*value).to_owned()))
    })
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    /// Asserts status and code of an error, and that `Proxy-Status` names it.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.json()["code"].as_str()),
            (status, Some(code))
        );
        assert_eq!(
            self.header("proxy-status"),
            format!("PostgREST; error={code}")
        );
        assert_eq!(
            self.header("content-type"),
            "application/json; charset=utf-8"
        );
    }
}

/// The value of `Authorization` for these claims.
pub(crate) fn bearer(claims: &Value) -> String {
    format!(
        "Bearer {}",
        mint(claims, &SigningKey::hs256(&Secret::from(SECRET))).unwrap()
    )
}

async fn read_catalog(db: &TestDb) -> Catalog {
    let url = db.authenticator_url();
    let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let exposed = IntrospectionSettings {
        schemas: vec!["api".to_owned()],
        ..IntrospectionSettings::default()
    };
    let raw = introspect(&mut client, &exposed, 1).await.unwrap();
    drop(client);
    let _ = connection.await;
    Catalog::assemble(raw)
}
