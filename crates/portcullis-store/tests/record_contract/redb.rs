//! The store in a file.

use std::{
    env,
    process::{Command, Stdio},
    sync::Mutex,
};

use ::redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use portcullis_store::{RedbRecordStore, RedbRefreshStore};
use portcullis_test::FixedClock;
use tempfile::TempDir;

use super::*;

type Name<'a> = (&'a str, &'a str, &'a str);

const RECORDS: TableDefinition<'_, Name<'_>, &[u8]> = TableDefinition::new("records");
const ENDS: TableDefinition<'_, (u64, &str, &str, &str), ()> = TableDefinition::new("record_ends");

/// A folder with the file. The store is open unless the file is worked on.
struct File {
    folder: TempDir,
    clock: FixedClock,
    store: Mutex<Option<RedbRefreshStore>>,
}

impl File {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), clock: FixedClock::default(), store: Mutex::new(None) }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("issuer.redb")
    }

    fn close(&self) {
        *self.store.lock().unwrap() = None;
    }

    /// Writes a row while the store is closed.
    fn write(&self, key: &RecordKey, row: &[u8], ends: Option<u64>) {
        self.close();
        let file = Database::create(self.path()).unwrap();
        let transaction = file.begin_write().unwrap();
        let (kind, group, id) = (key.group().kind().name(), key.group().name(), key.id());
        transaction.open_table(RECORDS).unwrap().insert((kind, group, id), row).unwrap();
        if let Some(ends) = ends {
            transaction.open_table(ENDS).unwrap().insert((ends, kind, group, id), ()).unwrap();
        }
        transaction.commit().unwrap();
    }

    /// Returns the row, and how many rows and ends there are, while the store is closed.
    fn content(&self, key: &RecordKey) -> (Option<String>, u64, u64) {
        self.close();
        let file = Database::create(self.path()).unwrap();
        let transaction = file.begin_read().unwrap();
        let records = transaction.open_table(RECORDS).unwrap();
        let row = records.get((key.group().kind().name(), key.group().name(), key.id())).unwrap();
        let row = row.map(|row| String::from_utf8(row.value().to_vec()).unwrap());
        (row, records.len().unwrap(), transaction.open_table(ENDS).unwrap().len().unwrap())
    }
}

impl RecordPlace for File {
    type Store = RedbRecordStore;

    async fn open(&self) -> RedbRecordStore {
        let open = || RedbRefreshStore::open_with(self.path(), self.clock.clone()).unwrap();
        self.store.lock().unwrap().get_or_insert_with(open).records()
    }

    async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    async fn overwrite(&mut self, key: &RecordKey) -> Possible {
        self.write(key, LATER.as_bytes(), None);
        Possible::Yes
    }

    /// What `kill -9` leaves behind: a copy of the file, made while it is open.
    async fn crash(&mut self) -> Possible {
        let store = self.open().await;
        let copy = self.folder.path().join("copy");
        std::fs::copy(self.path(), &copy).unwrap();
        drop(store);
        self.close();
        std::fs::rename(copy, self.path()).unwrap();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

#[tokio::test]
async fn the_records_in_a_file_keep_the_contract() {
    let contract = RecordStoreContract::new(File::new());
    contract.without(RecordSwitch::CutOff, "the file is in the machine, and open").check().await;
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_a_file() {
    let file = File::new();
    drop(file.open().await);
    file.write(&of_version_1(), ROW.as_bytes(), Some(4_102_444_800_000));
    is_read(&file.open().await).await;
    assert_eq!(file.content(&of_version_1()).0.map(|row| with_the_version(&row)).as_deref(), Some(ROW));
    assert_eq!(file.content(&other()).1, 2);
    assert_eq!(file.content(&other()).2, 2);
}

#[tokio::test]
async fn what_has_ended_leaves_the_file() {
    let file = File::new();
    let live = three_of_which_one_lives(&file.open().await).await;
    let later = RecordKey::new(RecordKind::Code, "group", "later").unwrap();
    file.write(&later, LATER.as_bytes(), Some(1));
    assert_eq!(file.content(&live).1, 3);
    let store = file.open().await;
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    drop(store);
    let (row, rows, ends) = file.content(&live);
    assert!(row.is_some_and(|row| row.ends_with("\nlive")));
    assert_eq!((rows, ends), (2, 2), "a row of a later form, and one that lives");
    assert_eq!(file.content(&later).0.as_deref(), Some(LATER));
}

#[tokio::test]
async fn more_are_forgotten_than_fit_into_one_transaction() {
    let file = File::new();
    drop(file.open().await);
    file.close();
    let database = Database::create(file.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    for id in 0..1005 {
        let id = id.to_string();
        transaction.open_table(RECORDS).unwrap().insert(("code", "", &*id), &b"1 5 1\n"[..]).unwrap();
        transaction.open_table(ENDS).unwrap().insert((1, "code", "", &*id), ()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(file.open().await.forget_before(Millis::new(2)).await.unwrap(), 1005);
}

/// An instance that changes a record again and again, and says so, until it is killed.
#[tokio::test]
#[ignore = "is started by the test that kills it"]
async fn an_instance_that_dies() {
    let store = RedbRefreshStore::open(env::var("DYING_FILE").unwrap()).unwrap().records();
    let mut number = 0_u64;
    loop {
        let version = store.find(&other()).await.unwrap().map(|record| record.version());
        number += 1;
        let next = NewRecord::new(number.to_string());
        assert_eq!(store.swap(&other(), version, Some(next)).await.unwrap(), Swapped::Stored);
        eprintln!("stored {number}");
        if number == 20 {
            std::process::abort();
        }
    }
}

#[tokio::test]
async fn an_instance_that_dies_over_a_file_loses_no_record() {
    for _ in 0..2 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("issuer.redb");
        let mut start = Command::new(env::current_exe().unwrap());
        start.args(["--exact", "redb::an_instance_that_dies", "--ignored", "--nocapture"]).env("DYING_FILE", &path);
        let output = start.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("stored 20"), "{said}");
        let store = RedbRefreshStore::open(&path).unwrap().records();
        assert_eq!(store.find(&other()).await.unwrap().unwrap().text(), "20", "acknowledged, and lost");
    }
}
