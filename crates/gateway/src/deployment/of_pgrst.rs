//! A deployment in PostgREST's place: REST at `/`, in its dialect, without anything it has not.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderName;
use nix::unistd::{User, geteuid};
use passerelle_identity::{IdentitySettings, Verifier, Weakness};
use passerelle_pg::{ControlEndpoint, IntrospectionSettings, KeeperSettings};
use passerelle_planner::PlanSettings;
use passerelle_rest::{
    BatchSettings, CostLimits, CredentialKind, DescribeSettings, ExportSettings, RestSettings,
    ServerAddress, TransactionMode,
};
use passerelle_store::Store;
use passerelle_surface::{Cors, CorsDialect, FrontageSettings, HttpLimits, TrustedProxies};
use passerelle_syntax::{Exposure, Extensions, Limits};
use passerelle_wire::{ConnectionSettings, PoolSettings};

use super::{
    DatabaseParts, Deployment, DeploymentError, HttpSettings, JobParts, ListenSettings, Recovery,
    endpoints, function_name,
};
use crate::environment::Environment;
use crate::pgrst::{OpenApiMode, PgrstSettings, Verbosity, completed};

/// How many prepared statements each connection keeps.
const PREPARED_STATEMENTS: usize = 256;
/// PostgREST bounds neither bodies nor URLs by itself; these are far beyond what it is used with.
const LIMITS: HttpLimits = HttpLimits {
    url_bytes: 60_000,
    header_bytes: 120_000,
    body_bytes: 1 << 30,
};
/// There are none.
const BATCH: BatchSettings = BatchSettings {
    items: 0,
    result_bytes: 0,
};
/// There are none: PostgREST gives a connection back before its client reads, who can so neither run
/// into a role's `statement_timeout` nor hold up others.
const EXPORTS: ExportSettings = ExportSettings {
    at_once: 0,
    stall: Duration::ZERO,
    longest: Duration::ZERO,
};
const QUERY: Limits = Limits {
    query_bytes: 60_000,
    query_body_bytes: 0,
    embed_depth: 32,
    logic_depth: 32,
    items: 10_000,
};

impl Deployment {
    /// What checked settings describe. What their connection string leaves out comes from the
    /// environment.
    pub(crate) fn of_pgrst(
        settings: &PgrstSettings,
        environment: &Environment,
    ) -> Result<Self, DeploymentError> {
        let listen = listen(
            &settings.server_host,
            Some(settings.server_port),
            settings
                .server_unix_socket
                .as_ref()
                .map(|path| (path, settings.server_unix_socket_mode)),
            settings.server_reuseport,
        );
        let admin_socket = settings.admin_server_unix_socket.as_ref();
        Ok(Self {
            cache: None,
            auth: None,
            realtime: None,
            jobs: JobParts::default(),
            listen: listen.unwrap_or(ListenSettings::Tcp {
                host: settings.server_host.clone(),
                port: settings.server_port,
                reuse_port: settings.server_reuseport,
            }),
            admin: self::listen(
                &settings.admin_server_host,
                settings.admin_server_port,
                admin_socket.map(|path| (path, settings.admin_server_unix_socket_mode)),
                // Who asks for readiness asks one server.
                false,
            ),
            http: HttpSettings {
                workers: None,
                max_connections: 10_000,
                keep_alive: Some(Duration::from_secs(75)),
                request_head_timeout: Duration::from_secs(30),
                shutdown_timeout: Duration::from_secs(30),
            },
            frontage: frontage(settings)?,
            database: database(settings, environment)?,
            store: Store::memory(),
            recovery: if settings.db_pool_automatic_recovery {
                Recovery::UnlessRejected
            } else {
                Recovery::Never
            },
            rest: rest(settings)?,
        })
    }
}

/// Whether tokens can be verified as configured, which reading the settings alone does not show.
pub(crate) fn check_tokens(settings: &PgrstSettings) -> Result<(), DeploymentError> {
    verifier(settings).map(drop)
}

/// Where the database is asked for its settings.
pub(crate) fn control(
    settings: &PgrstSettings,
    environment: &Environment,
) -> Result<ControlEndpoint, DeploymentError> {
    Ok(database(settings, environment)?.control)
}

/// A Unix socket comes before a port.
fn listen(
    host: &str,
    port: Option<u16>,
    socket: Option<(&PathBuf, u32)>,
    reuse_port: bool,
) -> Option<ListenSettings> {
    match (socket, port) {
        (Some((path, mode)), _) => Some(ListenSettings::Unix {
            path: path.clone(),
            mode,
        }),
        (None, Some(port)) => Some(ListenSettings::Tcp {
            host: host.to_owned(),
            port,
            reuse_port,
        }),
        (None, None) => None,
    }
}

fn frontage(settings: &PgrstSettings) -> Result<FrontageSettings, DeploymentError> {
    let header = |name: &String| {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| DeploymentError::HeaderName {
            key: "server-trace-header",
        })
    };
    Ok(FrontageSettings {
        cors: Cors::new(
            CorsDialect::Postgrest,
            &settings.server_cors_allowed_origins,
        ),
        limits: LIMITS,
        trusted_proxies: TrustedProxies::default(),
        trace_header: settings
            .server_trace_header
            .as_ref()
            .map(header)
            .transpose()?,
        verbosity: verbosity(settings),
        metrics: Arc::default(),
    })
}

fn database(
    settings: &PgrstSettings,
    environment: &Environment,
) -> Result<DatabaseParts, DeploymentError> {
    let uri = String::from_utf8_lossy(settings.db_uri.expose());
    let user = User::from_uid(geteuid()).ok().flatten();
    let user = user.as_ref().map(|user| user.name.as_str());
    let (endpoint, control) = endpoints(&completed(&uri, environment, user))?;
    let prepared = if settings.db_prepared_statements {
        PREPARED_STATEMENTS
    } else {
        0
    };
    let pool = PoolSettings {
        max_size: usize::try_from(settings.db_pool).unwrap_or(1).max(1),
        acquisition_timeout: seconds(settings.db_pool_acquisition_timeout),
        max_lifetime: seconds(settings.db_pool_max_lifetime),
        max_idle: seconds(settings.db_pool_max_idletime),
        connection: ConnectionSettings {
            prepared_statements: NonZeroUsize::new(prepared),
            ..ConnectionSettings::default()
        },
        ..PoolSettings::default()
    };
    let keeper = KeeperSettings {
        introspection: IntrospectionSettings {
            schemas: settings.db_schemas.clone(),
            extra_search_path: settings.db_extra_search_path.clone(),
            hoisted_settings: settings.db_hoisted_tx_settings.clone(),
        },
        channel: settings
            .db_channel_enabled
            .then(|| settings.db_channel.clone()),
        ..KeeperSettings::default()
    };
    Ok(DatabaseParts {
        endpoint,
        control,
        pool,
        keeper,
    })
}

fn rest(settings: &PgrstSettings) -> Result<RestSettings, DeploymentError> {
    let end = settings.db_tx_end;
    Ok(RestSettings {
        prefix: String::new(),
        verifier: Arc::new(verifier(settings)?),
        credentials: CredentialKind::Bearer,
        exposure: Exposure {
            schemas: settings.db_schemas.clone(),
            root: settings.openapi_mode != OpenApiMode::Disabled,
            allow_transaction_override: end.allow_override,
            extensions: Extensions::NONE,
        },
        extra_search_path: settings.db_extra_search_path.clone(),
        limits: QUERY,
        http_limits: LIMITS,
        batch: BATCH,
        exports: EXPORTS,
        // PostgREST has none.
        cost_limits: CostLimits::default(),
        rate_limits: None,
        describe: DescribeSettings {
            follow_privileges: settings.openapi_mode == OpenApiMode::FollowPrivileges,
            security_active: settings.openapi_security_active,
            server: settings
                .openapi_server_proxy_uri
                .as_deref()
                .and_then(ServerAddress::from_proxy_uri)
                .unwrap_or_else(|| {
                    ServerAddress::listening(&settings.server_host, settings.server_port)
                }),
            root_function: settings.db_root_spec.as_deref().map(function_name),
        },
        planning: PlanSettings {
            max_rows: settings
                .db_max_rows
                .and_then(|rows| u64::try_from(rows).ok()),
            aggregates_enabled: settings.db_aggregates_enabled,
            legacy_target_names: settings.url_use_legacy_target_names,
            expand_star: false,
            plan_enabled: settings.db_plan_enabled,
            index_conflict: false,
        },
        transaction_mode: match (end.rollback, end.allow_override) {
            (false, false) => TransactionMode::Commit,
            (false, true) => TransactionMode::CommitAllowOverride,
            (true, false) => TransactionMode::Rollback,
            (true, true) => TransactionMode::RollbackAllowOverride,
        },
        pre_request: settings.db_pre_request.as_deref().map(function_name),
        app_settings: settings
            .app_settings
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
        log_query: settings.log_query,
        server_timing: settings.server_timing_enabled,
        verbosity: verbosity(settings),
    })
}

/// PostgREST refuses short secrets, but takes whatever else it is given.
fn verifier(settings: &PgrstSettings) -> Result<Verifier, DeploymentError> {
    let verifier = Verifier::new(&IdentitySettings {
        public_keys: Vec::new(),
        secret: settings.jwt_secret.clone(),
        secret_is_base64: settings.jwt_secret_is_base64,
        audience: settings.jwt_aud.clone(),
        role_claim_key: settings.jwt_role_claim_key.clone(),
        anon_role: settings.db_anon_role.as_deref().map(Arc::from),
        cache_max_entries: usize::try_from(settings.jwt_cache_max_entries).unwrap_or(0),
        api_keys: Vec::new(),
    })?;
    let weaknesses = verifier.weaknesses();
    if weaknesses
        .iter()
        .any(|weakness| matches!(weakness, Weakness::ShortSecret { .. }))
    {
        return Err(DeploymentError::ShortSecret);
    }
    if let Some(path) = verifier.role_path().deprecated() {
        tracing::warn!(path, "jwt-role-claim-key is in a deprecated notation");
    }
    for weakness in weaknesses {
        tracing::warn!(%weakness, "the JWT secret protects nothing");
    }
    Ok(verifier)
}

fn verbosity(settings: &PgrstSettings) -> passerelle_surface::Verbosity {
    match settings.client_error_verbosity {
        Verbosity::Minimal => passerelle_surface::Verbosity::Minimal,
        Verbosity::Verbose => passerelle_surface::Verbosity::Verbose,
    }
}

fn seconds(number: i64) -> Option<Duration> {
    u64::try_from(number)
        .ok()
        .filter(|seconds| *seconds != 0)
        .map(Duration::from_secs)
}
