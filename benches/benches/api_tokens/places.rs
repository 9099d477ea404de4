//! [`Place`]: a store, and how much it takes.

use std::{fs, path::PathBuf};

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
        Inserted, MemoryApiTokenStore, Owner,
    },
    refresh::Millis,
};
use portcullis_store::{
    PostgresApiTokenStore, PostgresRefreshStore, RedbApiTokenStore, RedbRefreshStore, RedisApiTokenStore,
    RedisRefreshStore,
};
use real_servers::{PostgresServer, RedisServer};
use tempfile::TempDir;

pub enum Place {
    Memory(MemoryPlace),
    Redb(RedbPlace),
    Redis(RedisPlace),
    Postgres(PostgresPlace),
}

#[derive(Default)]
pub struct MemoryPlace(MemoryApiTokenStore);

pub struct RedbPlace(TempDir, RedbRefreshStore);

pub struct RedisPlace(RedisServer);

pub struct PostgresPlace {
    server: PostgresServer,
    /// What it takes without any token.
    empty: u64,
}

impl RedbPlace {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = RedbRefreshStore::open(file(&folder)).expect("a file");
        Self(folder, store)
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("issuer.redb")
}

impl RedisPlace {
    pub fn new() -> Self {
        Self(RedisServer::start_with(&[("appendfsync", "everysec")]))
    }
}

impl PostgresPlace {
    pub fn new() -> Self {
        let server = PostgresServer::start();
        Self { empty: server.bytes(), server }
    }
}

impl Place {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Redb(_) => "redb",
            Self::Redis(_) => "Redis",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    pub fn store(&self) -> Store {
        match self {
            Self::Memory(place) => Store::Memory(place.0.clone()),
            Self::Redb(place) => Store::Redb(place.1.api_tokens()),
            Self::Redis(place) => Store::Redis(RedisRefreshStore::new(&place.0.url()).expect("a URL").api_tokens()),
            Self::Postgres(place) => {
                Store::Postgres(PostgresRefreshStore::new(&place.server.url()).expect("a URL").api_tokens())
            }
        }
    }

    /// Returns how many bytes all tokens take; 0 where that cannot be told.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Redb(place) => fs::metadata(file(&place.0)).expect("a file").len(),
            Self::Redis(place) => {
                let info = place.0.cli(&["INFO", "memory"]);
                let used = info.lines().find_map(|line| line.trim().strip_prefix("used_memory:"));
                used.and_then(|used| used.parse().ok()).expect("its memory")
            }
            Self::Postgres(place) => place.server.bytes() - place.empty,
        }
    }
}

/// A store of any kind.
#[derive(Debug)]
pub enum Store {
    Memory(MemoryApiTokenStore),
    Redb(RedbApiTokenStore),
    Redis(RedisApiTokenStore),
    Postgres(PostgresApiTokenStore),
}

macro_rules! ask {
    ($store:expr, $inner:ident => $call:expr) => {
        match $store {
            Store::Memory($inner) => $call.await,
            Store::Redb($inner) => $call.await,
            Store::Redis($inner) => $call.await,
            Store::Postgres($inner) => $call.await,
        }
    };
}

type Cursor = (Millis, Option<ApiTokenId>);

impl ApiTokenStore for Store {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        ask!(self, store => store.insert(row))
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        ask!(self, store => store.find(digest))
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        ask!(self, store => store.find_by_id(id))
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        ask!(self, store => store.replace(row, successor))
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        ask!(self, store => store.list(owner, after, limit))
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        ask!(self, store => store.count_live(owner, now))
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        ask!(self, store => store.derived_from(ancestor, after, limit))
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        ask!(self, store => store.all(after, limit))
    }

    async fn ending(&self, after: Cursor, before: Millis, limit: usize) -> Result<ApiTokenPage<Cursor>, StoreError> {
        ask!(self, store => store.ending(after, before, limit))
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        ask!(self, store => store.record_uses(uses))
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        ask!(self, store => store.forget_before(before))
    }
}
