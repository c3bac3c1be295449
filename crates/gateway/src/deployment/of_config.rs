//! A deployment as `passerelle serve` is configured: REST below `/rest/v1`, in Supabase's dialect.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::{IdentitySettings, SigningKeys, Verifier};
use passerelle_mail::Inbox;
use passerelle_pg::{IntrospectionSettings, KeeperSettings};
use passerelle_planner::PlanSettings;
use passerelle_rest::{
    BatchSettings, CredentialKind, DescribeSettings, ExportSettings, RestSettings, ServerAddress,
    TransactionMode,
};
use passerelle_surface::{
    Cors, CorsDialect, FrontageSettings, HttpLimits, TrustedProxies, Verbosity,
};
use passerelle_syntax::{Exposure, Extension, Limits};
use passerelle_wire::{ConnectionSettings, PoolSettings};

use super::{
    DatabaseParts, Deployment, DeploymentError, HttpSettings, JobParts, ListenSettings, Recovery,
    auth, cache, endpoints, function_name, hot, realtime,
};
use crate::config::{OpenApiMode, Settings, jobs};

/// How many prepared statements each connection keeps.
const PREPARED_STATEMENTS: usize = 256;
/// Where supabase-js looks for the REST surface.
const REST_PREFIX: &str = "/rest/v1";

impl Deployment {
    /// What checked settings describe.
    pub(crate) fn of_config(settings: &Settings) -> Result<Self, DeploymentError> {
        Self::of_config_with(settings, None)
    }

    /// The same, with an inbox for all mails.
    pub(crate) fn of_config_with(
        settings: &Settings,
        inbox: Option<Arc<Inbox>>,
    ) -> Result<Self, DeploymentError> {
        let server = &settings.server;
        let tcp = |host: &str, port| ListenSettings::Tcp {
            host: host.to_owned(),
            port,
            reuse_port: false,
        };
        let signing = auth::signing_keys(&settings.auth)?;
        let public_keys = signing.as_ref().map_or(&[][..], SigningKeys::public);
        let rest = rest(settings, public_keys)?;
        let auth = auth::auth(
            settings,
            signing,
            Arc::clone(&rest.verifier),
            rest.http_limits,
            rest.rate_limits.clone(),
            &public_url(settings),
            inbox,
        )?;
        let verifier = Arc::clone(&rest.verifier);
        let limits = (rest.http_limits, rest.rate_limits.clone());
        let realtime = realtime::realtime(settings, verifier, limits.0, limits.1)?;
        Ok(Self {
            listen: tcp(&server.host, server.port),
            admin: (server.admin_port != 0).then(|| tcp(&server.admin_host, server.admin_port)),
            http: HttpSettings {
                workers: (server.workers != 0).then_some(server.workers),
                max_connections: server.max_connections,
                keep_alive: seconds(server.keep_alive_seconds),
                request_head_timeout: Duration::from_secs(server.request_head_timeout_seconds),
                shutdown_timeout: Duration::from_secs(server.shutdown_timeout_seconds),
            },
            frontage: frontage(settings),
            database: database(settings)?,
            store: hot::store(settings)?,
            recovery: Recovery::Always,
            rest,
            auth,
            realtime,
            cache: cache::cache(settings)?,
            jobs: JobParts {
                jobs: jobs(&settings.jobs)?,
                workers: server.job_workers,
            },
        })
    }
}

fn frontage(settings: &Settings) -> FrontageSettings {
    let server = &settings.server;
    let cors = Cors::new(CorsDialect::Supabase, &server.cors_allowed_origins)
        .allow_query(settings.database.extensions.contains(&Extension::Query));
    FrontageSettings {
        cors,
        limits: http_limits(settings),
        trusted_proxies: trusted_proxies(settings),
        trace_header: None,
        verbosity: Verbosity::Verbose,
        metrics: Arc::default(),
    }
}

pub(super) fn trusted_proxies(settings: &Settings) -> TrustedProxies {
    let server = &settings.server;
    TrustedProxies::new(server.networks(), server.forwarded_header.into())
}

fn http_limits(settings: &Settings) -> HttpLimits {
    let server = &settings.server;
    HttpLimits {
        url_bytes: server.max_url_bytes,
        header_bytes: server.max_header_bytes,
        body_bytes: server.max_body_bytes,
    }
}

fn database(settings: &Settings) -> Result<DatabaseParts, DeploymentError> {
    let database = &settings.database;
    if database.url.is_empty() {
        return Err(DeploymentError::NoDatabase);
    }
    let (endpoint, control) = endpoints(&database.url)?;
    let control = match database.direct_url.as_str() {
        "" => control,
        direct => endpoints(direct)?.1,
    };
    let prepared = if database.prepared_statements {
        PREPARED_STATEMENTS
    } else {
        0
    };
    let pool = PoolSettings {
        max_size: database.pool_size,
        acquisition_timeout: seconds(database.pool_acquisition_timeout_seconds),
        max_lifetime: seconds(database.pool_max_lifetime_seconds),
        max_idle: seconds(database.pool_max_idle_seconds),
        connection: ConnectionSettings {
            prepared_statements: NonZeroUsize::new(prepared),
            flight_timeout: seconds(database.flight_timeout_seconds),
            ..ConnectionSettings::default()
        },
        ..PoolSettings::default()
    };
    let keeper = KeeperSettings {
        introspection: IntrospectionSettings {
            schemas: database.schemas.clone(),
            extra_search_path: database.extra_search_path.clone(),
            ..IntrospectionSettings::default()
        },
        channel: Some(database.channel.clone()).filter(|channel| !channel.is_empty()),
        ..KeeperSettings::default()
    };
    Ok(DatabaseParts {
        endpoint,
        control,
        pool,
        keeper,
    })
}

fn rest(
    settings: &Settings,
    public_keys: &[serde_json::Value],
) -> Result<RestSettings, DeploymentError> {
    let database = &settings.database;
    let limits = &settings.limits;
    Ok(RestSettings {
        prefix: REST_PREFIX.to_owned(),
        verifier: Arc::new(Verifier::new(&IdentitySettings {
            public_keys: public_keys.to_vec(),
            ..settings.auth.identity(database)
        })?),
        credentials: CredentialKind::ApiKey,
        exposure: Exposure {
            schemas: database.schemas.clone(),
            root: database.openapi != OpenApiMode::Disabled,
            allow_transaction_override: database.transaction_override,
            extensions: database.extensions.iter().copied().collect(),
        },
        extra_search_path: database.extra_search_path.clone(),
        limits: Limits {
            query_bytes: limits.query_bytes,
            query_body_bytes: limits.query_body_bytes,
            embed_depth: limits.embed_depth,
            logic_depth: limits.logic_depth,
            items: limits.items,
        },
        http_limits: http_limits(settings),
        batch: BatchSettings {
            items: limits.batch_items,
            result_bytes: limits.batch_result_bytes,
        },
        exports: ExportSettings {
            at_once: limits.exports,
            stall: Duration::from_secs(limits.export_stall_seconds),
            longest: Duration::from_secs(limits.export_seconds),
        },
        cost_limits: limits
            .plan_cost
            .iter()
            .map(|(role, cost)| (role.as_str().into(), *cost))
            .collect(),
        rate_limits: hot::rate_limits(settings, trusted_proxies(settings))?,
        describe: DescribeSettings {
            follow_privileges: database.openapi == OpenApiMode::FollowPrivileges,
            security_active: true,
            server: address(settings),
            root_function: None,
        },
        planning: PlanSettings {
            max_rows: (database.max_rows != 0).then_some(database.max_rows),
            aggregates_enabled: database.aggregates_enabled,
            legacy_target_names: true,
            // A role that may read some columns of a table gets those when it asks for all.
            expand_star: true,
            plan_enabled: database.plan_enabled,
            index_conflict: database.extensions.contains(&Extension::IndexConflict),
        },
        transaction_mode: if database.transaction_override {
            TransactionMode::CommitAllowOverride
        } else {
            TransactionMode::Commit
        },
        pre_request: Some(database.pre_request.as_str())
            .filter(|name| !name.is_empty())
            .map(function_name),
        app_settings: Vec::new(),
        log_query: false,
        server_timing: false,
        verbosity: Verbosity::Verbose,
    })
}

/// Where clients reach this server, without a slash at its end.
fn public_url(settings: &Settings) -> String {
    let server = &settings.server;
    if server.public_url.is_empty() {
        return format!("http://{}:{}", server.host, server.port);
    }
    server.public_url.trim_end_matches('/').to_owned()
}

/// Where clients reach the REST surface.
fn address(settings: &Settings) -> ServerAddress {
    let server = &settings.server;
    let public = ServerAddress::from_proxy_uri(&server.public_url)
        .unwrap_or_else(|| ServerAddress::listening(&server.host, server.port));
    ServerAddress {
        base_path: format!("{}{REST_PREFIX}", public.base_path.trim_end_matches('/')),
        ..public
    }
}

fn seconds(number: u64) -> Option<Duration> {
    (number != 0).then(|| Duration::from_secs(number))
}
