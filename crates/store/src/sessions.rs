//! Sessions in use: who, by what, and when last. PostgreSQL is the truth; what is here may be gone at any moment.

use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use redis::Script;
use uuid::Uuid;

use crate::error::StoreError;
use crate::link::Link;

/// Sessions that one process remembers without Redis.
const MOST: NonZero<usize> = NonZero::new(16 * 1024).expect("it is not zero");

static TOUCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("sessions/touch.lua")));

/// A session in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    /// Its id.
    pub session: Uuid,
    /// Whose it is.
    pub user: Uuid,
    /// Their role.
    pub role: String,
    /// `aal1` or `aal2`.
    pub level: String,
    /// The program, as it calls itself.
    pub user_agent: String,
    /// Where it came from.
    pub ip: String,
    /// When it was used last, in seconds since 1970.
    pub used: i64,
}

/// Where sessions in use are noted; each entry goes when it has not been touched for a time.
#[derive(Clone, Debug)]
pub struct Sessions {
    place: Arc<Place>,
    ttl: Duration,
}

#[derive(Debug)]
enum Place {
    Redis { link: Link, prefix: String },
    Memory(Mutex<LruCache<Uuid, (SessionEntry, Instant)>>),
}

impl Sessions {
    pub(crate) fn in_redis(link: Link, prefix: &str, ttl: Duration) -> Self {
        let prefix = format!("{prefix}session:");
        Self {
            place: Arc::new(Place::Redis { link, prefix }),
            ttl,
        }
    }

    pub(crate) fn in_memory(ttl: Duration) -> Self {
        Self {
            place: Arc::new(Place::Memory(Mutex::new(LruCache::new(MOST)))),
            ttl,
        }
    }

    /// Notes that sessions are in use, at a moment in seconds since 1970; those that are not known.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn touch(&self, sessions: &[Uuid], now: i64) -> Result<Vec<Uuid>, StoreError> {
        let known: Vec<u8> = match &*self.place {
            Place::Memory(entries) => {
                let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                let end = Instant::now() + self.ttl;
                let touched = sessions.iter().map(|session| {
                    let entry = entries.get_mut(session).filter(|(_, end)| is_ahead(*end));
                    let Some(entry) = entry else {
                        return 0;
                    };
                    (entry.0.used, entry.1) = (now, end);
                    1
                });
                touched.collect()
            }
            Place::Redis { link, prefix } => {
                // Each key by itself, since they may lie on several servers.
                let mut known = Vec::with_capacity(sessions.len());
                for session in sessions {
                    let mut call = TOUCH.key(key(prefix, *session));
                    call.arg(now).arg(self.ttl.as_secs());
                    let one: u8 = link
                        .run(async |connection| call.invoke_async(connection).await)
                        .await?;
                    known.push(one);
                }
                known
            }
        };
        let unknown = sessions.iter().zip(known);
        let unknown = unknown.filter(|(_, known)| *known == 0);
        Ok(unknown.map(|(session, _)| *session).collect())
    }

    /// Notes sessions.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn put(&self, sessions: Vec<SessionEntry>) -> Result<(), StoreError> {
        match &*self.place {
            Place::Memory(entries) => {
                let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                let end = Instant::now() + self.ttl;
                for entry in sessions {
                    entries.put(entry.session, (entry, end));
                }
                Ok(())
            }
            Place::Redis { link, prefix } => {
                let mut put = redis::pipe();
                let ttl = i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX);
                for entry in &sessions {
                    let key = key(prefix, entry.session);
                    let fields = [
                        ("user", entry.user.to_string()),
                        ("role", entry.role.clone()),
                        ("aal", entry.level.clone()),
                        ("user_agent", entry.user_agent.clone()),
                        ("ip", entry.ip.clone()),
                        ("used", entry.used.to_string()),
                    ];
                    // One by one in the same moment, so that no entry is left without an end.
                    put.hset_multiple(&key, &fields).ignore();
                    put.expire(&key, ttl).ignore();
                }
                let put = put.atomic();
                link.run(async |connection| put.query_async::<()>(connection).await)
                    .await
            }
        }
    }

    /// Forgets sessions that have ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget(&self, sessions: &[Uuid]) -> Result<(), StoreError> {
        match &*self.place {
            Place::Memory(entries) => {
                let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                for session in sessions {
                    entries.pop(session);
                }
                Ok(())
            }
            Place::Redis { link, prefix } => {
                let mut forget = redis::pipe();
                for session in sessions {
                    forget.del(key(prefix, *session)).ignore();
                }
                link.run(async |connection| forget.query_async::<()>(connection).await)
                    .await
            }
        }
    }

    /// When sessions were used last, in seconds since 1970; nothing for those that are not known.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_uses(&self, sessions: &[Uuid]) -> Result<Vec<Option<i64>>, StoreError> {
        match &*self.place {
            Place::Memory(entries) => {
                let entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                let used = sessions.iter().map(|session| {
                    let entry = entries.peek(session).filter(|(_, end)| is_ahead(*end));
                    entry.map(|(entry, _)| entry.used)
                });
                Ok(used.collect())
            }
            Place::Redis { link, prefix } => {
                let mut ask = redis::pipe();
                for session in sessions {
                    ask.hget(key(prefix, *session), "used");
                }
                link.run(async |connection| ask.query_async(connection).await)
                    .await
            }
        }
    }
}

fn key(prefix: &str, session: Uuid) -> String {
    format!("{prefix}{{{session}}}")
}

fn is_ahead(end: Instant) -> bool {
    end > Instant::now()
}
