//! The keys, their defaults and their ranges.

use std::path::{Path, PathBuf};

use passerelle_identity::Secret;

use super::PgrstError;
use super::values::{Sources, choice, split_on_commas};

/// `log-level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Crit,
    Error,
    Warn,
    Info,
    Debug,
}

/// `client-error-verbosity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Minimal,
    Verbose,
}

/// `openapi-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenApiMode {
    FollowPrivileges,
    IgnorePrivileges,
    Disabled,
}

/// `db-tx-end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionEnd {
    pub(crate) rollback: bool,
    pub(crate) allow_override: bool,
}

/// Everything PostgREST can be told. Times are in seconds.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PgrstSettings {
    pub(crate) app_settings: Vec<(String, String)>,
    pub(crate) client_error_verbosity: Verbosity,
    pub(crate) db_aggregates_enabled: bool,
    pub(crate) db_anon_role: Option<String>,
    pub(crate) db_channel: String,
    pub(crate) db_channel_enabled: bool,
    pub(crate) db_config: bool,
    pub(crate) db_extra_search_path: Vec<String>,
    pub(crate) db_hoisted_tx_settings: Vec<String>,
    pub(crate) db_max_rows: Option<i64>,
    pub(crate) db_plan_enabled: bool,
    pub(crate) db_pool: i64,
    pub(crate) db_pool_acquisition_timeout: i64,
    pub(crate) db_pool_automatic_recovery: bool,
    pub(crate) db_pool_max_idletime: i64,
    pub(crate) db_pool_max_lifetime: i64,
    pub(crate) db_pre_config: Option<String>,
    pub(crate) db_pre_request: Option<String>,
    pub(crate) db_prepared_statements: bool,
    pub(crate) db_root_spec: Option<String>,
    pub(crate) db_schemas: Vec<String>,
    pub(crate) db_tx_end: TransactionEnd,
    pub(crate) db_uri: Secret,
    pub(crate) jwt_aud: Option<String>,
    pub(crate) jwt_cache_max_entries: i64,
    pub(crate) jwt_role_claim_key: String,
    pub(crate) jwt_secret: Option<Secret>,
    pub(crate) jwt_secret_is_base64: bool,
    pub(crate) log_level: LogLevel,
    pub(crate) log_query: bool,
    pub(crate) openapi_mode: OpenApiMode,
    pub(crate) openapi_security_active: bool,
    pub(crate) openapi_server_proxy_uri: Option<String>,
    pub(crate) server_cors_allowed_origins: Vec<String>,
    pub(crate) server_host: String,
    pub(crate) server_port: u16,
    pub(crate) server_reuseport: bool,
    pub(crate) server_timing_enabled: bool,
    pub(crate) server_trace_header: Option<String>,
    pub(crate) server_unix_socket: Option<PathBuf>,
    pub(crate) server_unix_socket_mode: u32,
    pub(crate) url_use_legacy_target_names: bool,
    pub(crate) admin_server_host: String,
    pub(crate) admin_server_port: Option<u16>,
    pub(crate) admin_server_unix_socket: Option<PathBuf>,
    pub(crate) admin_server_unix_socket_mode: u32,
}

const HOISTED: &str =
    "statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation";
/// Any address of IPv4, in the notation of Haskell's warp.
const ANY_IPV4: &str = "!4";

impl PgrstSettings {
    /// Reads and checks all keys.
    pub(crate) fn read(from: &Sources) -> Result<Self, PgrstError> {
        let text = |key| from.text(key, None);
        let truth = |key, default| from.truth(key, None).unwrap_or(default);
        let integer = |key, default| from.integer(key, None).unwrap_or(default);
        let path = |key| from.text(key, None).map(PathBuf::from);
        let server_port = port("server-port", integer("server-port", 3000))?;
        let server_host = text("server-host");
        Ok(Self {
            app_settings: from.app_settings(),
            client_error_verbosity: verbosity(from)?,
            db_aggregates_enabled: truth("db-aggregates-enabled", false),
            db_anon_role: text("db-anon-role"),
            db_channel: text("db-channel").unwrap_or_else(|| "pgrst".to_owned()),
            db_channel_enabled: truth("db-channel-enabled", true),
            db_config: truth("db-config", true),
            db_extra_search_path: extra_search_path(from),
            db_hoisted_tx_settings: split_on_commas(
                &text("db-hoisted-tx-settings").unwrap_or_else(|| HOISTED.to_owned()),
            ),
            db_max_rows: from.integer("db-max-rows", Some("max-rows")),
            db_plan_enabled: truth("db-plan-enabled", false),
            db_pool: integer("db-pool", 10),
            db_pool_acquisition_timeout: integer("db-pool-acquisition-timeout", 10),
            db_pool_automatic_recovery: truth("db-pool-automatic-recovery", true),
            db_pool_max_idletime: from
                .integer("db-pool-timeout", Some("db-pool-max-idletime"))
                .unwrap_or(30),
            db_pool_max_lifetime: integer("db-pool-max-lifetime", 1800),
            db_pre_config: text("db-pre-config"),
            db_pre_request: from.text("db-pre-request", Some("pre-request")),
            db_prepared_statements: truth("db-prepared-statements", true),
            db_root_spec: from.text("db-root-spec", Some("root-spec")),
            db_schemas: schemas(from)?,
            db_tx_end: transaction_end(from)?,
            db_uri: uri(from)?,
            jwt_aud: audience(from)?,
            jwt_cache_max_entries: integer("jwt-cache-max-entries", 1000),
            jwt_role_claim_key: from
                .text("jwt-role-claim-key", Some("role-claim-key"))
                .unwrap_or_else(|| "$.role".to_owned()),
            jwt_secret: jwt_secret(from)?,
            jwt_secret_is_base64: from
                .truth("jwt-secret-is-base64", Some("secret-is-base64"))
                .unwrap_or(false),
            log_level: log_level(from)?,
            log_query: truth("log-query", false),
            openapi_mode: openapi_mode(from)?,
            openapi_security_active: truth("openapi-security-active", false),
            openapi_server_proxy_uri: proxy_uri(from)?,
            server_cors_allowed_origins: text("server-cors-allowed-origins")
                .map(|origins| split_on_commas(&origins))
                .unwrap_or_default(),
            server_reuseport: truth("server-reuseport", false),
            server_timing_enabled: truth("server-timing-enabled", false),
            server_trace_header: text("server-trace-header"),
            server_unix_socket: path("server-unix-socket"),
            server_unix_socket_mode: socket_mode(from, "server-unix-socket-mode")?,
            url_use_legacy_target_names: truth("url-use-legacy-target-names", true),
            admin_server_host: text("admin-server-host")
                .or_else(|| server_host.clone())
                .unwrap_or_else(|| ANY_IPV4.to_owned()),
            admin_server_port: admin_port(from, server_port)?,
            admin_server_unix_socket: path("admin-server-unix-socket"),
            admin_server_unix_socket_mode: socket_mode(from, "admin-server-unix-socket-mode")?,
            server_host: server_host.unwrap_or_else(|| ANY_IPV4.to_owned()),
            server_port,
        })
    }
}

fn verbosity(from: &Sources) -> Result<Verbosity, PgrstError> {
    let words = [
        ("minimal", Verbosity::Minimal),
        ("verbose", Verbosity::Verbose),
    ];
    let fault = "Invalid client-error-verbosity. Check your configuration.";
    choice(
        from,
        "client-error-verbosity",
        &words,
        Verbosity::Verbose,
        fault,
    )
}

fn log_level(from: &Sources) -> Result<LogLevel, PgrstError> {
    let words = [
        ("crit", LogLevel::Crit),
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    let fault = "Invalid logging level. Check your configuration.";
    choice(from, "log-level", &words, LogLevel::Error, fault)
}

fn openapi_mode(from: &Sources) -> Result<OpenApiMode, PgrstError> {
    let words = [
        ("follow-privileges", OpenApiMode::FollowPrivileges),
        ("ignore-privileges", OpenApiMode::IgnorePrivileges),
        ("disabled", OpenApiMode::Disabled),
    ];
    let fault = "Invalid openapi-mode. Check your configuration.";
    choice(
        from,
        "openapi-mode",
        &words,
        OpenApiMode::FollowPrivileges,
        fault,
    )
}

fn transaction_end(from: &Sources) -> Result<TransactionEnd, PgrstError> {
    let end = |rollback, allow_override| TransactionEnd {
        rollback,
        allow_override,
    };
    let words = [
        ("commit", end(false, false)),
        ("commit-allow-override", end(false, true)),
        ("rollback", end(true, false)),
        ("rollback-allow-override", end(true, true)),
    ];
    let fault = "Invalid transaction termination. Check your configuration.";
    choice(from, "db-tx-end", &words, end(false, false), fault)
}

fn schemas(from: &Sources) -> Result<Vec<String>, PgrstError> {
    let text = from
        .text("db-schemas", Some("db-schema"))
        .unwrap_or_else(|| "public".to_owned());
    let schemas = split_on_commas(&text);
    for system in ["pg_catalog", "information_schema"] {
        if schemas.iter().any(|schema| schema == system) {
            let fault = format!("db-schemas does not allow schema: '{system}'");
            return Err(PgrstError::Value {
                key: "db-schemas",
                fault,
            });
        }
    }
    Ok(schemas)
}

fn extra_search_path(from: &Sources) -> Vec<String> {
    match from.text_or_empty("db-extra-search-path") {
        None => vec!["public".to_owned()],
        Some(text) if text.is_empty() => Vec::new(),
        Some(text) => split_on_commas(&text),
    }
}

fn port(key: &'static str, number: i64) -> Result<u16, PgrstError> {
    number.try_into().map_err(|_| PgrstError::Value {
        key,
        fault: format!("{number} is not a port: it must be between 0 and 65535"),
    })
}

fn admin_port(from: &Sources, server_port: u16) -> Result<Option<u16>, PgrstError> {
    const KEY: &str = "admin-server-port";
    let Some(number) = from.integer(KEY, None) else {
        return Ok(None);
    };
    let number = port(KEY, number)?;
    if number == server_port {
        let fault = "admin-server-port cannot be the same as server-port".to_owned();
        return Err(PgrstError::Value { key: KEY, fault });
    }
    Ok(Some(number))
}

fn socket_mode(from: &Sources, key: &'static str) -> Result<u32, PgrstError> {
    let Some(text) = from.text(key, None) else {
        return Ok(0o660);
    };
    let digits = text.find(|c: char| !c.is_digit(8)).unwrap_or(text.len());
    let fault = |fault: &str| PgrstError::Value {
        key,
        fault: format!("Invalid {key}: {fault}"),
    };
    let mode = u32::from_str_radix(&text[..digits], 8).map_err(|_| fault("not an octal"))?;
    let fits = (0o600..=0o777).contains(&mode);
    fits.then_some(mode)
        .ok_or_else(|| fault("needs to be between 600 and 777"))
}

/// A name, or a URI where there is a colon (RFC 7519, `StringOrURI`).
fn audience(from: &Sources) -> Result<Option<String>, PgrstError> {
    const KEY: &str = "jwt-aud";
    let Some(audience) = from.text(KEY, None) else {
        return Ok(None);
    };
    if !audience.contains(':') || is_uri(&audience) {
        return Ok(Some(audience));
    }
    let fault = "jwt-aud should be a string or a valid URI".to_owned();
    Err(PgrstError::Value { key: KEY, fault })
}

/// A scheme and what may follow it (RFC 3986).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let in_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    let in_rest =
        |letter: char| letter.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(letter);
    let encoded = rest.split('%').skip(1).all(|after| {
        let mut digits = after.chars();
        let mut digit = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        digit() && digit()
    });
    scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(in_scheme)
        && rest.chars().all(in_rest)
        && encoded
}

fn proxy_uri(from: &Sources) -> Result<Option<String>, PgrstError> {
    const KEY: &str = "openapi-server-proxy-uri";
    let Some(uri) = from.text(KEY, None) else {
        return Ok(None);
    };
    if is_proxy_uri(&uri) {
        return Ok(Some(uri));
    }
    let fault =
        "Malformed proxy uri, a correct example: https://example.com:8443/basePath".to_owned();
    Err(PgrstError::Value { key: KEY, fault })
}

/// An absolute http(s) URI without user, query and fragment, and with a port from 1 to 65535 if any.
pub(crate) fn is_proxy_uri(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    let Some(rest) = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"))
    else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_fits = |port: &str| {
        port.is_empty()
            || port
                .parse::<u32>()
                .is_ok_and(|port| (1..65_536).contains(&port))
    };
    !host.is_empty()
        && !rest.contains(['?', '#', '@', ' ', '"', '<', '>'])
        && port.is_none_or(port_fits)
}

/// The URI itself, or the content of the file that `@` names.
fn uri(from: &Sources) -> Result<Secret, PgrstError> {
    let text = from
        .text("db-uri", None)
        .unwrap_or_else(|| "postgresql://".to_owned());
    match text.strip_prefix('@') {
        Some(path) => {
            let content = from.streams.read(Path::new(path))?;
            Ok(Secret::from(content.trim().to_owned()))
        }
        None => Ok(Secret::from(text)),
    }
}

/// The secret itself, or the content of the file that `@` names, less one line end.
fn jwt_secret(from: &Sources) -> Result<Option<Secret>, PgrstError> {
    let Some(text) = from.text("jwt-secret", None) else {
        return Ok(None);
    };
    let Some(path) = text.strip_prefix('@') else {
        return Ok(Some(Secret::from(text)));
    };
    let content = from.streams.read(Path::new(path))?;
    let content = content.strip_suffix('\n').unwrap_or(&content);
    Ok(Some(Secret::from(content.to_owned())))
}
