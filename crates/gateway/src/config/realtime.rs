//! `[realtime]`: sockets, channels and what they may cost.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::within;

/// `[realtime]`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RealtimeSettings {
    pub(crate) enabled: bool,
    pub(crate) max_channels: usize,
    pub(crate) joins_per_second: u32,
    pub(crate) messages_per_second: u32,
    pub(crate) bytes_per_second: u32,
    pub(crate) max_message_bytes: usize,
    pub(crate) queue_messages: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) silence_seconds: u64,
    pub(crate) deleted_keys: bool,
}

impl Default for RealtimeSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            max_channels: 100,
            joins_per_second: 100,
            messages_per_second: 200,
            bytes_per_second: 2 * 1024 * 1024,
            max_message_bytes: 256 * 1024,
            queue_messages: 1024,
            queue_bytes: 4 * 1024 * 1024,
            silence_seconds: 60,
            deleted_keys: false,
        }
    }
}

impl RealtimeSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let most = 1_000_000;
        within(
            "realtime.max_channels",
            self.max_channels as u64,
            1..=10_000,
        )?;
        within(
            "realtime.joins_per_second",
            self.joins_per_second.into(),
            1..=most,
        )?;
        within(
            "realtime.messages_per_second",
            self.messages_per_second.into(),
            1..=most,
        )?;
        within(
            "realtime.bytes_per_second",
            self.bytes_per_second.into(),
            262_144..=1_073_741_824,
        )?;
        within(
            "realtime.max_message_bytes",
            self.max_message_bytes as u64,
            1024..=262_144,
        )?;
        within(
            "realtime.queue_messages",
            self.queue_messages as u64,
            16..=100_000,
        )?;
        within(
            "realtime.queue_bytes",
            self.queue_bytes as u64,
            65_536..=1_073_741_824,
        )?;
        within("realtime.silence_seconds", self.silence_seconds, 30..=3600)
    }
}
