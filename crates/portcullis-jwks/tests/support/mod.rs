//! A service whose issuer is a script, on virtual time.
#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{Admission, AuthError, Code, JwtAuthenticator, Verified, authenticator::Attempt};
use portcullis_jwks::{RemoteKeys, RemoteKeysBuilder};
use portcullis_test::provider::ScriptedProvider;
use tokio::time::{Instant, sleep};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
/// How long keys are fresh when the issuer does not say.
pub(crate) const FRESHNESS: Duration = Duration::from_secs(10 * 60);
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(30);

pub(crate) struct Service {
    pub(crate) provider: ScriptedProvider,
    pub(crate) keys: RemoteKeys,
    pub(crate) admission: Admission,
}

impl Service {
    /// With keys by the defaults, not fetched yet.
    pub(crate) fn starting() -> Self {
        Self::with(ScriptedProvider::new(), |keys| keys)
    }

    pub(crate) fn with(provider: ScriptedProvider, set: impl FnOnce(RemoteKeysBuilder) -> RemoteKeysBuilder) -> Self {
        let keys = RemoteKeys::discover(provider.issuer().name()).fetch(provider.clone()).clock(provider.clock());
        let keys = set(keys).start().unwrap();
        let trusted = provider.issuer().trusted_with(keys.clone());
        let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(provider.clock());
        Self { provider, keys, admission }
    }

    /// With the keys in hand.
    pub(crate) async fn started() -> Self {
        let service = Self::starting();
        service.keys.require(MINUTE).await.unwrap();
        service
    }

    /// With the keys in hand, and so long after that tokens may cause fetches again.
    pub(crate) async fn settled() -> Self {
        let service = Self::started().await;
        sleep(2 * COOL_DOWN).await;
        service
    }

    /// A token that the issuer signs now.
    pub(crate) fn token(&self) -> String {
        self.provider.issuer().token().subject("alice").sign()
    }

    /// A token that names a key which the issuer does not have.
    pub(crate) fn token_of(&self, key_id: &str) -> String {
        self.provider.issuer().token().header("kid", key_id).sign()
    }

    pub(crate) async fn present(&self, token: &str) -> Result<Verified, AuthError> {
        self.admission.verify(token).outcome().await
    }

    pub(crate) async fn code(&self, token: &str) -> Option<Code> {
        self.present(token).await.err().map(|error| error.code())
    }

    pub(crate) async fn accepts(&self, token: &str) -> bool {
        self.code(token).await.is_none()
    }

    /// Whether it is accepted without any waiting.
    pub(crate) fn accepts_at_once(&self, token: &str) -> bool {
        matches!(self.admission.verify(token), Attempt::Done(Ok(_)))
    }

    pub(crate) fn fetches(&self) -> usize {
        self.provider.key_set_fetches()
    }
}

/// Lets time pass in small steps until `condition` holds, and gives how long it took; at most a day.
pub(crate) async fn until(condition: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < 24 * HOUR, "it never came to that");
        sleep(Duration::from_millis(500)).await;
    }
    start.elapsed()
}
