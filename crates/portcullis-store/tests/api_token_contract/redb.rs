//! The store in a file.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
};

use ::redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle};
use portcullis_store::{RedbApiTokenStore, RedbLog, RedbRefreshStore};
use tempfile::TempDir;

use super::{
    instances::{Instance, a_revocation_arrives, all_is_well_again, clock, has_none_of, texts_of_a_life},
    *,
};

const TOKENS: TableDefinition<'_, u128, &str> = TableDefinition::new("api_tokens");
const DIGESTS: TableDefinition<'_, &[u8; 32], u128> = TableDefinition::new("api_token_digests");
const USES: TableDefinition<'_, u128, (u64, Option<&str>)> = TableDefinition::new("api_token_uses");
const OWNERS: TableDefinition<'_, (&str, &str, u128), ()> = TableDefinition::new("api_token_owners");
const ANCESTORS: TableDefinition<'_, (u128, u128), ()> = TableDefinition::new("api_token_ancestors");
const ENDS: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("api_token_ends");
const REVOKED: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("api_token_revoked");

/// A folder with the file. The store is open unless the file is worked on.
struct File {
    folder: TempDir,
    store: Mutex<Option<RedbRefreshStore>>,
}

impl File {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), store: Mutex::new(None) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("issuer.redb")
    }

    fn store(&self) -> RedbApiTokenStore {
        let open = || RedbRefreshStore::open(self.path()).unwrap();
        self.store.lock().unwrap().get_or_insert_with(open).api_tokens()
    }

    /// Closes the store, and returns its file.
    fn database(&self) -> Database {
        *self.store.lock().unwrap() = None;
        Database::create(self.path()).unwrap()
    }

    fn write(&self, id: ApiTokenId, row: &str) {
        let file = self.database();
        let transaction = file.begin_write().unwrap();
        transaction.open_table(TOKENS).unwrap().insert(key(id), row).unwrap();
        transaction.commit().unwrap();
    }

    /// Returns how many entries the tables have.
    fn sizes(&self) -> [u64; 7] {
        let database = self.database();
        let transaction = database.begin_read().unwrap();
        [
            transaction.open_table(TOKENS).unwrap().len().unwrap(),
            transaction.open_table(DIGESTS).unwrap().len().unwrap(),
            transaction.open_table(USES).unwrap().len().unwrap(),
            transaction.open_table(OWNERS).unwrap().len().unwrap(),
            transaction.open_table(ANCESTORS).unwrap().len().unwrap(),
            transaction.open_table(ENDS).unwrap().len().unwrap(),
            transaction.open_table(REVOKED).unwrap().len().unwrap(),
        ]
    }
}

fn key(id: ApiTokenId) -> u128 {
    u128::from_be_bytes(*id.as_bytes())
}

impl ApiTokenPlace for File {
    type Store = RedbApiTokenStore;

    async fn open(&self) -> RedbApiTokenStore {
        self.store()
    }

    async fn overwrite(&mut self, id: ApiTokenId) -> Possible {
        self.write(id, &later());
        Possible::Yes
    }

    /// What `kill -9` leaves behind: a copy of the file, made while it is open.
    async fn crash(&mut self) -> Possible {
        let store = self.store();
        let copy = self.folder.path().join("copy");
        std::fs::copy(self.path(), &copy).unwrap();
        drop(store);
        *self.store.lock().unwrap() = None;
        std::fs::rename(copy, self.path()).unwrap();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

#[tokio::test]
async fn the_api_tokens_in_a_file_keep_the_contract() {
    let contract = ApiTokenStoreContract::new(File::new());
    contract.without(ApiTokenSwitch::CutOff, "the file is in the machine, and open").check().await;
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_a_file() {
    let (file, row) = (File::new(), of_version_1());
    drop(file.store());
    let database = file.database();
    let transaction = database.begin_write().unwrap();
    let id = key(row.id);
    transaction.open_table(TOKENS).unwrap().insert(id, ROW.trim()).unwrap();
    transaction.open_table(DIGESTS).unwrap().insert(row.digest.as_bytes(), id).unwrap();
    transaction.open_table(USES).unwrap().insert(id, (1_728_000_003_000, Some("192.0.2.0/24"))).unwrap();
    transaction.open_table(OWNERS).unwrap().insert(("organisation", "línea/1", id), ()).unwrap();
    for ancestor in &row.path {
        transaction.open_table(ANCESTORS).unwrap().insert((key(*ancestor), id), ()).unwrap();
    }
    transaction.open_table(ENDS).unwrap().insert((4_000_000_000_000, id), ()).unwrap();
    transaction.open_table(REVOKED).unwrap().insert((4_000_000_000_001, id), ()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let sizes = file.sizes();
    is_read(&file.store()).await;
    let database = file.database();
    let transaction = database.begin_read().unwrap();
    let written = transaction.open_table(TOKENS).unwrap().get(id).unwrap().unwrap().value().to_owned();
    assert_eq!(written, ROW.trim());
    drop((transaction, database));
    assert_eq!(file.sizes(), sizes);
}

#[tokio::test]
async fn what_is_forgotten_leaves_nothing_in_the_file() {
    let (file, row) = (File::new(), of_version_1());
    let store = file.store();
    assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    drop(store);
    assert_eq!(file.sizes(), [0; 7]);
}

#[tokio::test]
async fn more_are_forgotten_than_fit_into_one_transaction_past_those_that_cannot_be_read() {
    let file = File::new();
    many_that_are_over(&file.store(), 1030).await;
    for number in 0..20 {
        file.write(numbered(number).id, &later());
    }
    assert_eq!(file.store().forget_before(Millis::new(2)).await.unwrap(), 1010);
    assert_eq!(file.sizes()[0], 21, "those that cannot be read, and one that lives");
}

/// As if an attacker had pointed the digest of the own token at the row of another one.
#[tokio::test]
async fn a_digest_that_names_another_row_finds_nothing() {
    let (file, [own, other]) = (File::new(), [numbered(1), numbered(2)]);
    let store = file.store();
    for row in [&own, &other] {
        assert_eq!(store.insert(row).await.unwrap(), Inserted::New);
    }
    assert_eq!(store.find(&own.digest).await.unwrap().unwrap().row, own);
    drop(store);
    for id in [key(other.id), 77] {
        let database = file.database();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(DIGESTS).unwrap().insert(own.digest.as_bytes(), id).unwrap();
        transaction.commit().unwrap();
        drop(database);
        assert!(file.store().find(&own.digest).await.is_err());
        assert_eq!(file.store().find(&other.digest).await.unwrap().unwrap().row, other);
    }
}

/// An instance that changes a token again and again, and says so, until it is killed.
#[tokio::test]
#[ignore = "is started by the test that kills it"]
async fn an_instance_that_dies() {
    let store = RedbRefreshStore::open(env::var("DYING_FILE").unwrap()).unwrap().api_tokens();
    let mut row = numbered(1);
    assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
    loop {
        row.version += 1;
        let successor = numbered(100 + u32::try_from(row.version).unwrap());
        assert_eq!(store.replace(&row, Some(&successor)).await.unwrap(), Changed::Stored);
        eprintln!("stored {}", row.version);
        if row.version == 20 {
            std::process::abort();
        }
    }
}

#[tokio::test]
async fn an_instance_that_dies_over_a_file_loses_no_token() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("issuer.redb");
    let mut start = Command::new(env::current_exe().unwrap());
    start.args(["--exact", "redb::an_instance_that_dies", "--ignored", "--nocapture"]).env("DYING_FILE", &path);
    let output = start.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("stored 20"), "{said}");
    let store = RedbRefreshStore::open(&path).unwrap().api_tokens();
    assert_eq!(store.find_by_id(numbered(1).id).await.unwrap().unwrap().version, 20, "acknowledged, and lost");
    assert_eq!(store.all(None, 100).await.unwrap().rows.len(), 21);
}

/// One process has the file, so both instances are in it. The file cannot be out of reach: instead, an instance opens it that has seen nothing yet.
#[tokio::test]
async fn pitfall_7_a_revocation_reaches_another_instance_by_a_file_and_one_that_starts_later() {
    let (file, clock) = (File::new(), clock());
    let path = file.folder.path().join("revocations.redb");
    let log = RedbLog::open(&path).unwrap();
    let one = Instance::new(file.store(), log.clone(), &clock).await;
    let other = Instance::new(file.store(), log.clone(), &clock).await;
    let left = a_revocation_arrives(&one, &other).await;
    let later = Instance::new(file.store(), log, &clock).await;
    all_is_well_again(&later, &left).await;
}

#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_nowhere_in_the_files() {
    let (file, clock) = (File::new(), clock());
    let path = file.folder.path().join("revocations.redb");
    let instance = Instance::new(file.store(), RedbLog::open(&path).unwrap(), &clock).await;
    let texts = texts_of_a_life(&instance).await;
    let files = [file.path(), path].map(|path| std::fs::read(path).unwrap()).concat();
    has_none_of(&texts, "a file", &files);
}
