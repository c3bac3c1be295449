//! The surface `/realtime/v1`, as `passerelle serve` is configured.

use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::Verifier;
use passerelle_pg::search_path;
use passerelle_realtime::RealtimeSettings;
use passerelle_surface::{HttpLimits, RateLimitSettings};
use passerelle_wire::Endpoint;

use super::DeploymentError;
use crate::config::Settings;

/// Where supabase-js looks for the surface.
const REALTIME_PREFIX: &str = "/realtime/v1";

/// The surface `/realtime/v1`.
pub(crate) struct RealtimeParts {
    pub(crate) settings: RealtimeSettings,
    /// Where changes of rows are read.
    pub(crate) feed: Endpoint,
}

/// Nothing where it is switched off.
pub(super) fn realtime(
    settings: &Settings,
    verifier: Arc<Verifier>,
    http_limits: HttpLimits,
    rate_limits: Option<RateLimitSettings>,
) -> Result<Option<RealtimeParts>, DeploymentError> {
    let realtime = settings.realtime;
    if !realtime.enabled {
        return Ok(None);
    }
    let database = &settings.database;
    let schemas = database.schemas.iter().map(String::as_str);
    let extra = database.extra_search_path.iter().map(String::as_str);
    Ok(Some(RealtimeParts {
        settings: RealtimeSettings {
            prefix: REALTIME_PREFIX.to_owned(),
            search_path: search_path(schemas.chain(extra)),
            verifier,
            channels: realtime.max_channels,
            joins: realtime.joins_per_second,
            messages: realtime.messages_per_second,
            bytes: realtime.bytes_per_second,
            payload_bytes: realtime.max_message_bytes,
            queue_messages: realtime.queue_messages,
            queue_bytes: realtime.queue_bytes,
            silence: Duration::from_secs(realtime.silence_seconds),
            tells_deleted_keys: realtime.deleted_keys,
            http_limits,
            rate_limits,
        },
        feed: super::feed_endpoint(settings)?,
    }))
}
