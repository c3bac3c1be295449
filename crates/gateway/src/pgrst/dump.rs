//! The configuration as text, every key with the value in force (`--dump-config`).

use std::fmt::Write as _;

use passerelle_identity::RolePath;

use super::settings::{LogLevel, OpenApiMode, PgrstSettings, TransactionEnd, Verbosity};

impl PgrstSettings {
    /// A line for each key, sorted, in the format of a configuration file. It holds secrets.
    pub(crate) fn dump(&self) -> String {
        let mut lines: Vec<(&str, String)> = self
            .database()
            .into_iter()
            .chain(self.server())
            .chain(self.admin())
            .collect();
        let settings = self.app_settings.iter();
        lines.extend(settings.map(|(key, value)| (key.as_str(), quoted(value))));
        lines.sort();
        let mut out = String::new();
        for (key, value) in lines {
            let _ = writeln!(out, "{key} = {value}");
        }
        out
    }

    fn database(&self) -> [(&'static str, String); 22] {
        [
            (
                "db-aggregates-enabled",
                self.db_aggregates_enabled.to_string(),
            ),
            ("db-anon-role", optional(self.db_anon_role.as_deref())),
            ("db-channel", quoted(&self.db_channel)),
            ("db-channel-enabled", self.db_channel_enabled.to_string()),
            ("db-config", self.db_config.to_string()),
            (
                "db-extra-search-path",
                quoted(&self.db_extra_search_path.join(",")),
            ),
            (
                "db-hoisted-tx-settings",
                quoted(&self.db_hoisted_tx_settings.join(",")),
            ),
            ("db-max-rows", number_or_empty(self.db_max_rows)),
            ("db-plan-enabled", self.db_plan_enabled.to_string()),
            ("db-pool", self.db_pool.to_string()),
            (
                "db-pool-acquisition-timeout",
                self.db_pool_acquisition_timeout.to_string(),
            ),
            (
                "db-pool-automatic-recovery",
                self.db_pool_automatic_recovery.to_string(),
            ),
            (
                "db-pool-max-idletime",
                self.db_pool_max_idletime.to_string(),
            ),
            (
                "db-pool-max-lifetime",
                self.db_pool_max_lifetime.to_string(),
            ),
            ("db-pre-config", optional(self.db_pre_config.as_deref())),
            ("db-pre-request", optional(self.db_pre_request.as_deref())),
            (
                "db-prepared-statements",
                self.db_prepared_statements.to_string(),
            ),
            ("db-root-spec", optional(self.db_root_spec.as_deref())),
            ("db-schemas", quoted(&self.db_schemas.join(","))),
            ("db-tx-end", quoted(transaction_end(self.db_tx_end))),
            (
                "db-uri",
                quoted(&String::from_utf8_lossy(self.db_uri.expose())),
            ),
            (
                "url-use-legacy-target-names",
                self.url_use_legacy_target_names.to_string(),
            ),
        ]
    }

    fn server(&self) -> [(&'static str, String); 20] {
        let secret = self
            .jwt_secret
            .as_ref()
            .map(|secret| String::from_utf8_lossy(secret.expose()));
        [
            (
                "client-error-verbosity",
                quoted(verbosity(self.client_error_verbosity)),
            ),
            ("jwt-aud", optional(self.jwt_aud.as_deref())),
            (
                "jwt-cache-max-entries",
                self.jwt_cache_max_entries.to_string(),
            ),
            (
                "jwt-role-claim-key",
                quoted(&role_claim_key(&self.jwt_role_claim_key)),
            ),
            ("jwt-secret", optional(secret.as_deref())),
            (
                "jwt-secret-is-base64",
                self.jwt_secret_is_base64.to_string(),
            ),
            ("log-level", quoted(log_level(self.log_level))),
            ("log-query", self.log_query.to_string()),
            ("openapi-mode", quoted(openapi_mode(self.openapi_mode))),
            (
                "openapi-security-active",
                self.openapi_security_active.to_string(),
            ),
            (
                "openapi-server-proxy-uri",
                optional(self.openapi_server_proxy_uri.as_deref()),
            ),
            (
                "server-cors-allowed-origins",
                quoted(&self.server_cors_allowed_origins.join(",")),
            ),
            ("server-host", quoted(&self.server_host)),
            ("server-port", self.server_port.to_string()),
            ("server-reuseport", self.server_reuseport.to_string()),
            (
                "server-timing-enabled",
                self.server_timing_enabled.to_string(),
            ),
            (
                "server-trace-header",
                optional(self.server_trace_header.as_deref()),
            ),
            (
                "server-unix-socket",
                socket(self.server_unix_socket.as_deref()),
            ),
            (
                "server-unix-socket-mode",
                quoted(&format!("{:o}", self.server_unix_socket_mode)),
            ),
            ("admin-server-host", quoted(&self.admin_server_host)),
        ]
    }

    fn admin(&self) -> [(&'static str, String); 3] {
        let mode = format!("{:o}", self.admin_server_unix_socket_mode);
        [
            ("admin-server-port", number_or_empty(self.admin_server_port)),
            (
                "admin-server-unix-socket",
                socket(self.admin_server_unix_socket.as_deref()),
            ),
            ("admin-server-unix-socket-mode", quoted(&mode)),
        ]
    }
}

/// A string of the file format, in which `$` begins a variable.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('$', "$$")
    )
}

/// A path in the older notation is shown with all its quotes.
fn role_claim_key(text: &str) -> String {
    let path = RolePath::parse(text).ok();
    path.and_then(|path| path.deprecated())
        .unwrap_or_else(|| text.to_owned())
}

fn optional(text: Option<&str>) -> String {
    quoted(text.unwrap_or_default())
}

fn socket(path: Option<&std::path::Path>) -> String {
    quoted(
        &path
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
    )
}

fn number_or_empty(number: Option<impl ToString>) -> String {
    number.map_or_else(|| quoted(""), |number| number.to_string())
}

fn verbosity(verbosity: Verbosity) -> &'static str {
    match verbosity {
        Verbosity::Minimal => "minimal",
        Verbosity::Verbose => "verbose",
    }
}

fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Crit => "crit",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    }
}

fn openapi_mode(mode: OpenApiMode) -> &'static str {
    match mode {
        OpenApiMode::FollowPrivileges => "follow-privileges",
        OpenApiMode::IgnorePrivileges => "ignore-privileges",
        OpenApiMode::Disabled => "disabled",
    }
}

fn transaction_end(end: TransactionEnd) -> &'static str {
    match (end.rollback, end.allow_override) {
        (false, false) => "commit",
        (false, true) => "commit-allow-override",
        (true, false) => "rollback",
        (true, true) => "rollback-allow-override",
    }
}
