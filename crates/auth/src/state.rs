//! What the handlers of the surface share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use passerelle_identity::UnixTime;
use passerelle_surface::{EndedSessions, Fence, RateGate};
use passerelle_webhook::Caller;
use passerelle_wire::Pool;

use crate::error::AuthError;
use crate::one_time::OneTime;
use crate::password::Hasher;
use crate::provider::Provider;
use crate::refresh_token::RefreshTokens;
use crate::seal::Seals;
use crate::settings::AuthSettings;

/// What the handlers of a worker share; see [`crate::configure`].
pub struct AuthState {
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
    /// Limits of rates; without it nobody is limited.
    pub(crate) gate: Option<RateGate>,
}

/// What all workers share.
pub(crate) struct Shared {
    current: ArcSwap<Ready>,
    pub(crate) clock: fn() -> UnixTime,
    pub(crate) hasher: Hasher,
    /// What writes pass before their answers, where replies are kept.
    pub(crate) fence: Option<Arc<dyn Fence>>,
    /// Who has been signed out.
    pub(crate) ended: EndedSessions,
    /// For hooks that are servers.
    pub(crate) caller: Option<Caller>,
}

/// Settings with what follows from them.
pub(crate) struct Ready {
    pub(crate) settings: AuthSettings,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) one_time: OneTime,
    pub(crate) seals: Seals,
    providers: Vec<Provider>,
}

impl AuthState {
    /// A state with these settings. `clock` tells the time that tokens are judged by.
    pub fn new(
        pool: Pool,
        clock: fn() -> UnixTime,
        settings: AuthSettings,
        hasher: Hasher,
        fence: Option<Arc<dyn Fence>>,
        ended: EndedSessions,
    ) -> Self {
        let shared = Shared {
            current: ArcSwap::from_pointee(Ready::new(settings)),
            clock,
            hasher,
            fence,
            ended,
            caller: Caller::new().ok(),
        };
        Self {
            pool,
            shared: Arc::new(shared),
            gate: None,
        }
    }

    /// The same state over connections of another worker, with limits as it sees them.
    #[must_use]
    pub fn for_worker(&self, pool: Pool, gate: RateGate) -> Self {
        Self {
            pool,
            shared: Arc::clone(&self.shared),
            gate: Some(gate),
        }
    }

    /// Replaces the settings for requests that begin from now on.
    pub fn reconfigure(&self, settings: AuthSettings) {
        self.shared.current.store(Arc::new(Ready::new(settings)));
    }

    /// How many passwords have been hashed.
    pub fn hash_counts(&self) -> crate::HashCounts {
        self.shared.hasher.counts()
    }

    pub(crate) fn ready(&self) -> Arc<Ready> {
        self.shared.current.load_full()
    }
}

impl std::fmt::Debug for AuthState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthState").finish_non_exhaustive()
    }
}

impl Ready {
    fn new(settings: AuthSettings) -> Self {
        Self {
            refresh_tokens: RefreshTokens::new(&settings.secret),
            one_time: OneTime::new(&settings.secret),
            seals: Seals::new(&settings.secret),
            providers: settings
                .providers
                .iter()
                .cloned()
                .filter_map(Provider::new)
                .collect(),
            settings,
        }
    }

    /// The provider of a name.
    pub(crate) fn provider(&self, name: &str) -> Result<&Provider, AuthError> {
        let mut providers = self.providers.iter();
        let found = providers.find(|provider| provider.settings.name == name);
        found.ok_or_else(|| AuthError::NoProvider(name.chars().take(40).collect()))
    }
}
