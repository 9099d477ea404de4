//! An authorization server in memory and on one clock, whose keys the fuzzer has.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis::{
    Algorithm,
    policy::TokenSpec,
    revocation::{Cursor, LogError, Page, Revocation, Revoker},
};
use portcullis_issuer::{
    SigningKey, StoreError, TokenIssuer,
    records::{
        MemoryRecordStore, NewRecord, Record, RecordGroup, RecordKey, RecordKind, RecordStore, RecordVersion, Swapped,
    },
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, Millis, Sessions},
    server::{AuthorizationServer, AuthorizationServerBuilder, Clients},
};
use portcullis_test::FixedClock;

use super::sealed;

pub(crate) const ISSUER: &str = "https://id.test";
pub(crate) const ORDERS: &str = "https://orders.test";
pub(crate) const CALLBACK: &str = "https://app.test/callback";

/// A request for a code, but for the redirect URI.
pub(crate) const QUERY: &str = "response_type=code&client_id=page&code_challenge_method=S256&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A server, and what its store of records is asked.
pub(crate) struct Desk {
    pub(crate) server: AuthorizationServer,
    records: Records,
}

impl Desk {
    pub(crate) fn new(
        clients: impl Clients,
        settings: impl FnOnce(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        let spec = TokenSpec::new(ISSUER).audience(ORDERS);
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let issuer = TokenIssuer::new(spec, key.clone()).unwrap().clock(FixedClock::default());
        let store = MemoryRefreshStore::with_clock(FixedClock::default());
        let sessions = Sessions::new(issuer, store, sealed::keys(), NoLog, DangerUncheckedSubjects);
        let records = Records::default();
        let builder = AuthorizationServer::builder(sessions, key, records.clone(), clients)
            .authorization_endpoint("https://id.test/authorize")
            .verification_page("https://id.test/device");
        Self { server: settings(builder).build().unwrap(), records }
    }

    /// What the store was asked for since the last call, by the kind and the group of the key.
    pub(crate) fn asked(&self) -> Vec<(RecordKind, String)> {
        std::mem::take(&mut *self.records.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Every octet of a value, as a form has it.
pub(crate) fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut encoded, octet| {
        encoded.push('%');
        encoded.extend([octet >> 4, octet & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
        encoded
    })
}

/// Whether a parameter of a request may have this value.
pub(crate) fn is_text(value: &str) -> bool {
    !value.chars().any(|each| each.is_control() || each == '\u{fffd}')
}

/// Nothing is revoked.
#[derive(Debug)]
pub(crate) struct NoLog;

impl Revoker for NoLog {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        panic!("{revocations:?}");
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        panic!("nothing is listed");
    }
}

/// A store that tells what it is asked for.
#[derive(Clone, Debug)]
struct Records {
    records: MemoryRecordStore,
    asked: Arc<Mutex<Vec<(RecordKind, String)>>>,
}

impl Default for Records {
    fn default() -> Self {
        Self { records: MemoryRecordStore::with_clock(FixedClock::default()), asked: Arc::default() }
    }
}

impl RecordStore for Records {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.records.now().await
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let asked = (key.group().kind(), key.group().name().to_owned());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        self.records.find(key).await
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        self.records.list(group).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        self.records.swap(key, expected, next).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.records.forget_before(before).await
    }
}
