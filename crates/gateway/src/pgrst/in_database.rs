//! Configuration that is kept in the database, for PostgREST's keys that may be there.

use std::collections::BTreeMap;
use std::time::Duration;

use passerelle_catalog::QualifiedName;
use passerelle_pg::{ControlEndpoint, in_database_settings};
use tokio::time::timeout;

/// The keys, as their settings are named after `pgrst.`.
const NAMES: [&str; 25] = [
    "client_error_verbosity",
    "db_aggregates_enabled",
    "db_anon_role",
    "db_extra_search_path",
    "db_hoisted_tx_settings",
    "db_max_rows",
    "db_plan_enabled",
    "db_pre_config",
    "db_pre_request",
    "db_prepared_statements",
    "db_root_spec",
    "db_schemas",
    "db_tx_end",
    "jwt_aud",
    "jwt_cache_max_entries",
    "jwt_role_claim_key",
    "jwt_secret",
    "jwt_secret_is_base64",
    "openapi_mode",
    "openapi_security_active",
    "openapi_server_proxy_uri",
    "server_cors_allowed_origins",
    "server_timing_enabled",
    "server_trace_header",
    "url_use_legacy_target_names",
];

/// How long connecting and reading may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the database does not tell its settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InDatabaseError {
    /// It cannot be asked; it may answer later.
    #[error("the configuration in the database cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered with an error, such as that of the function `db-pre-config`.
    #[error("the configuration in the database cannot be read")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The settings of the connecting role, and those that the function `pre_config` makes.
pub(crate) async fn read(
    endpoint: &ControlEndpoint,
    pre_config: Option<&QualifiedName>,
) -> Result<BTreeMap<String, String>, InDatabaseError> {
    let reading = async {
        let mut client = endpoint
            .connect()
            .await
            .map_err(|error| InDatabaseError::Unreachable(error.into()))?;
        let settings = in_database_settings(&mut client, &NAMES, pre_config).await;
        settings.map_err(|error| match error.as_db_error() {
            Some(_) => InDatabaseError::Refused(error.into()),
            None => InDatabaseError::Unreachable(error.into()),
        })
    };
    let settings = timeout(PATIENCE, reading)
        .await
        .map_err(|late| InDatabaseError::Unreachable(late.into()))??;
    Ok(settings.into_iter().collect())
}

impl InDatabaseError {
    /// Whether asking again later may help without anybody setting something right.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}
