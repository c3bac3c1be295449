//! The sections, their keys and defaults. An empty text and, where the reference says so, a zero mean "none".

use std::collections::BTreeMap;
use std::sync::Arc;

use passerelle_auth::RequiredCharacters;
use passerelle_identity::{ApiKey, IdentitySettings};
use passerelle_surface::{ForwardedHeader, Network};
use passerelle_syntax::Extension;
use serde::{Deserialize, Serialize};

use super::cache::CacheSettings;
use super::jobs::JobSettings;
use super::providers::ProviderSettings;
use super::rate_limits::RateLimitSettings;
use super::realtime::RealtimeSettings;
use super::secret;

/// All settings of `passerelle serve`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) server: ServerSettings,
    pub(crate) database: DatabaseSettings,
    pub(crate) migration: MigrationSettings,
    pub(crate) auth: AuthSettings,
    pub(crate) mail: MailSettings,
    pub(crate) redis: RedisSettings,
    pub(crate) rate_limits: RateLimitSettings,
    pub(crate) cache: CacheSettings,
    pub(crate) realtime: RealtimeSettings,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) jobs: Vec<JobSettings>,
    pub(crate) log: LogSettings,
    pub(crate) limits: LimitSettings,
}

/// `[server]`: sockets and what a request may cost before it is understood.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) admin_host: String,
    pub(crate) admin_port: u16,
    pub(crate) workers: usize,
    pub(crate) job_workers: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_body_bytes: u64,
    pub(crate) max_url_bytes: usize,
    pub(crate) max_header_bytes: usize,
    pub(crate) keep_alive_seconds: u64,
    pub(crate) request_head_timeout_seconds: u64,
    pub(crate) shutdown_timeout_seconds: u64,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) forwarded_header: ForwardedHeaderName,
    pub(crate) cors_allowed_origins: Vec<String>,
    pub(crate) public_url: String,
}

/// `server.forwarded_header`: where proxies write the client's address.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ForwardedHeaderName {
    XForwardedFor,
    Forwarded,
}

/// `[database]`: PostgreSQL and what of it is exposed.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseSettings {
    pub(crate) url: String,
    pub(crate) direct_url: String,
    pub(crate) feed_url: String,
    pub(crate) pool_size: usize,
    pub(crate) pool_acquisition_timeout_seconds: u64,
    pub(crate) pool_max_lifetime_seconds: u64,
    pub(crate) pool_max_idle_seconds: u64,
    pub(crate) flight_timeout_seconds: u64,
    pub(crate) prepared_statements: bool,
    pub(crate) schemas: Vec<String>,
    pub(crate) extra_search_path: Vec<String>,
    pub(crate) anon_role: String,
    pub(crate) max_rows: u64,
    pub(crate) pre_request: String,
    pub(crate) channel: String,
    pub(crate) aggregates_enabled: bool,
    pub(crate) plan_enabled: bool,
    pub(crate) transaction_override: bool,
    pub(crate) openapi: OpenApiMode,
    pub(crate) extensions: Vec<Extension>,
}

/// `[migration]`: what is brought up to date before anything is served.
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MigrationSettings {
    pub(crate) url: String,
    pub(crate) application: String,
}

impl std::fmt::Debug for MigrationSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MigrationSettings").finish_non_exhaustive()
    }
}

/// `database.openapi`: what the description of the schema shows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OpenApiMode {
    /// What the caller's role may see.
    FollowPrivileges,
    /// Everything that is exposed.
    IgnorePrivileges,
    /// There is no description.
    Disabled,
}

/// `[auth]`: who may call.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSettings {
    pub(crate) jwt_secret: String,
    pub(crate) jwt_secret_is_base64: bool,
    pub(crate) signing_keys_file: String,
    pub(crate) jwt_aud: String,
    pub(crate) role_claim_key: String,
    pub(crate) cache_max_entries: usize,
    pub(crate) publishable_keys: Vec<String>,
    pub(crate) secret_keys: Vec<String>,
    pub(crate) access_token_seconds: u64,
    pub(crate) sign_up: bool,
    pub(crate) anonymous_users: bool,
    pub(crate) email_autoconfirm: bool,
    pub(crate) email_change_twice: bool,
    pub(crate) site_url: String,
    pub(crate) redirect_urls: Vec<String>,
    pub(crate) manual_linking: bool,
    pub(crate) custom_access_token: String,
    pub(crate) before_user_created: String,
    pub(crate) password_verification: String,
    pub(crate) send_email: String,
    pub(crate) send_sms: String,
    pub(crate) hook_secrets: Vec<String>,
    pub(crate) phone_autoconfirm: bool,
    pub(crate) secure_password_change: bool,
    pub(crate) current_password_required: bool,
    pub(crate) one_time_seconds: u64,
    pub(crate) password_min_length: usize,
    pub(crate) password_required: Vec<RequiredCharacters>,
    pub(crate) password_workers: usize,
    pub(crate) session_seconds: u64,
    pub(crate) session_inactive_seconds: u64,
    pub(crate) single_session: bool,
    pub(crate) refresh_reuse_seconds: u64,
    pub(crate) session_check: SessionCheck,
    pub(crate) session_tracking_seconds: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) providers: Vec<ProviderSettings>,
}

/// `auth.session_check`: what happens to access tokens of sessions that have ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SessionCheck {
    /// They are refused.
    Strict,
    /// They are good until they expire.
    Off,
}

/// `[mail]`
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailSettings {
    pub(crate) smtp_url: String,
    pub(crate) from: String,
    pub(crate) templates: String,
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailSettings").finish_non_exhaustive()
    }
}

/// `[redis]`
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RedisSettings {
    pub(crate) url: String,
    pub(crate) ca_file: String,
    pub(crate) key_prefix: String,
    pub(crate) timeout_milliseconds: u64,
}

/// `[log]`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

/// `log.format`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// `log.level`: failures are errors, refusals warnings, the rest is information.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// `[limits]`: how large the parts of a query may be, and what its answer may cost.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitSettings {
    pub(crate) query_bytes: usize,
    pub(crate) query_body_bytes: usize,
    pub(crate) embed_depth: usize,
    pub(crate) logic_depth: usize,
    pub(crate) items: usize,
    pub(crate) batch_items: usize,
    pub(crate) batch_result_bytes: usize,
    pub(crate) exports: usize,
    pub(crate) export_seconds: u64,
    pub(crate) export_stall_seconds: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) plan_cost: BTreeMap<String, u64>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: "0.0.0.0".to_owned(),
            port: 8000,
            admin_host: "127.0.0.1".to_owned(),
            admin_port: 8001,
            workers: 0,
            job_workers: 2,
            max_connections: 10_000,
            max_body_bytes: 20 * 1024 * 1024,
            max_url_bytes: 32 * 1024,
            max_header_bytes: 64 * 1024,
            keep_alive_seconds: 75,
            request_head_timeout_seconds: 10,
            shutdown_timeout_seconds: 30,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeaderName::XForwardedFor,
            cors_allowed_origins: Vec::new(),
            public_url: String::new(),
        }
    }
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            direct_url: String::new(),
            feed_url: String::new(),
            pool_size: 10,
            pool_acquisition_timeout_seconds: 10,
            pool_max_lifetime_seconds: 1800,
            pool_max_idle_seconds: 30,
            flight_timeout_seconds: 60,
            prepared_statements: true,
            schemas: vec!["public".to_owned()],
            extra_search_path: vec!["public".to_owned(), "extensions".to_owned()],
            anon_role: "anon".to_owned(),
            max_rows: 0,
            pre_request: String::new(),
            channel: "pgrst".to_owned(),
            aggregates_enabled: false,
            plan_enabled: false,
            transaction_override: false,
            openapi: OpenApiMode::FollowPrivileges,
            extensions: Vec::new(),
        }
    }
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            jwt_secret: String::new(),
            jwt_secret_is_base64: false,
            signing_keys_file: String::new(),
            jwt_aud: String::new(),
            role_claim_key: "$.role".to_owned(),
            cache_max_entries: 1000,
            publishable_keys: Vec::new(),
            secret_keys: Vec::new(),
            access_token_seconds: 3600,
            sign_up: true,
            anonymous_users: false,
            email_autoconfirm: false,
            email_change_twice: true,
            site_url: String::new(),
            redirect_urls: Vec::new(),
            manual_linking: false,
            custom_access_token: String::new(),
            before_user_created: String::new(),
            password_verification: String::new(),
            send_email: String::new(),
            send_sms: String::new(),
            hook_secrets: Vec::new(),
            phone_autoconfirm: false,
            secure_password_change: false,
            current_password_required: false,
            one_time_seconds: 3600,
            password_min_length: 6,
            password_required: Vec::new(),
            password_workers: 0,
            session_seconds: 0,
            session_inactive_seconds: 0,
            single_session: false,
            refresh_reuse_seconds: 10,
            session_check: SessionCheck::Strict,
            session_tracking_seconds: 7 * 86_400,
            providers: Vec::new(),
        }
    }
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            ca_file: String::new(),
            key_prefix: "passerelle:".to_owned(),
            timeout_milliseconds: 200,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            query_bytes: 32 * 1024,
            query_body_bytes: 1024 * 1024,
            embed_depth: 8,
            logic_depth: 16,
            items: 1000,
            batch_items: 100,
            batch_result_bytes: 20 * 1024 * 1024,
            exports: 4,
            export_seconds: 600,
            export_stall_seconds: 30,
            plan_cost: BTreeMap::new(),
        }
    }
}

impl ServerSettings {
    /// The networks of `trusted_proxies` that can be read as such; all of them once checked.
    pub(crate) fn networks(&self) -> Vec<Network> {
        self.trusted_proxies
            .iter()
            .filter_map(|network| network.parse().ok())
            .collect()
    }
}

impl From<ForwardedHeaderName> for ForwardedHeader {
    fn from(name: ForwardedHeaderName) -> Self {
        match name {
            ForwardedHeaderName::XForwardedFor => Self::XForwardedFor,
            ForwardedHeaderName::Forwarded => Self::Forwarded,
        }
    }
}

impl AuthSettings {
    /// The settings of the verifier.
    pub(crate) fn identity(&self, database: &DatabaseSettings) -> IdentitySettings {
        let keys = |keys: &[String], role: &str| -> Vec<ApiKey> {
            let role: Arc<str> = role.into();
            let keys = keys.iter().filter_map(|key| secret(key));
            keys.map(|key| ApiKey {
                key,
                role: Arc::clone(&role),
            })
            .collect()
        };
        let mut api_keys = keys(&self.publishable_keys, &database.anon_role);
        api_keys.extend(keys(&self.secret_keys, "service_role"));
        IdentitySettings {
            secret: secret(&self.jwt_secret),
            secret_is_base64: self.jwt_secret_is_base64,
            public_keys: Vec::new(),
            audience: (!self.jwt_aud.is_empty()).then(|| self.jwt_aud.clone()),
            role_claim_key: self.role_claim_key.clone(),
            anon_role: Some(database.anon_role.as_str())
                .filter(|role| !role.is_empty())
                .map(Arc::from),
            cache_max_entries: self.cache_max_entries,
            api_keys,
        }
    }
}

// These hold secrets; the rest of them is not worth showing without.

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("schemas", &self.schemas)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AuthSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthSettings").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings").finish_non_exhaustive()
    }
}
