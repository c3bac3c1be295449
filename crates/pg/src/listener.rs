//! A control connection that listens: what others notify, it reports as events.
//!
//! Events of the same kind that nobody has taken yet are one event, so a burst of notifications
//! takes no memory.

use std::future::poll_fn;
use std::time::Duration;

use futures_util::FutureExt as _;
use passerelle_wire::{ClientError, WireError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};

use crate::control::ControlEndpoint;

/// Longest time for beginning to listen.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Something the gateway should react to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The schema changed (`NOTIFY pgrst`, or with payload `reload schema`).
    ReloadSchema,
    /// The configuration in the database changed (payload `reload config`).
    ReloadConfig,
    /// The connection is gone; there will be no further event.
    Lost,
}

/// Notifications so far.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    schema: u64,
    config: u64,
}

/// A connection that listens on one channel and can be used for queries at the same time.
#[derive(Debug)]
pub struct Listener {
    client: Client,
    heard: watch::Receiver<Heard>,
    taken: Heard,
    driver: JoinHandle<()>,
}

impl Listener {
    /// Connects and listens, if there is a channel to listen on.
    pub async fn connect(
        endpoint: &ControlEndpoint,
        channel: Option<&str>,
    ) -> Result<Self, ClientError> {
        let (client, mut connection) = endpoint.open().await?;
        let (tell, heard) = watch::channel(Heard::default());
        let driver = tokio::spawn(async move {
            loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(notification))) => {
                        tell.send_modify(|heard| heard.note(notification.payload()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "listening connection ended");
                        return;
                    }
                    None => return,
                }
            }
        });
        let listener = Self {
            client,
            heard,
            taken: Heard::default(),
            driver,
        };
        if let Some(channel) = channel {
            let channel = channel.replace('"', "\"\"");
            let listen = format!("listen \"{channel}\"");
            timeout(LISTEN_TIMEOUT, listener.client.execute(&listen, &[]))
                .await
                .map_err(|_| WireError::Timeout)??;
        }
        Ok(listener)
    }

    /// The connection's client.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The next event. Dropping the future loses none.
    pub async fn next(&mut self) -> Event {
        loop {
            let heard = *self.heard.borrow_and_update();
            if heard.schema != self.taken.schema {
                self.taken.schema = heard.schema;
                return Event::ReloadSchema;
            }
            if heard.config != self.taken.config {
                self.taken.config = heard.config;
                return Event::ReloadConfig;
            }
            if self.heard.changed().await.is_err() {
                return Event::Lost;
            }
        }
    }

    /// The next event if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Event> {
        self.next().now_or_never()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Heard {
    fn note(&mut self, payload: &str) {
        match payload {
            "" | "reload schema" => self.schema += 1,
            "reload config" => self.config += 1,
            _ => {}
        }
    }
}
