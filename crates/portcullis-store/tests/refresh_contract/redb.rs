//! The store in a file.

use std::sync::Mutex;

use ::redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use portcullis_issuer::refresh::{LogIn, Opened, Outcome, RefreshPolicy, RefreshStore, ShareDigest, Step};
use portcullis_store::{RedbLog, RedbRefreshStore};
use portcullis_test::FixedClock;
use tempfile::TempDir;

use super::*;

const FAMILIES: TableDefinition<'_, u128, &str> = TableDefinition::new("families");
const ENDS: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("ends");

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
        self.folder.path().join("sessions.redb")
    }

    /// Changes a row while the store is closed.
    fn edit(&self, id: FamilyId, change: impl FnOnce(&str) -> String) {
        self.close();
        let file = Database::create(self.path()).unwrap();
        let transaction = file.begin_write().unwrap();
        {
            let key = u128::from_be_bytes(*id.as_bytes());
            let mut families = transaction.open_table(FAMILIES).unwrap();
            let mut ends = transaction.open_table(ENDS).unwrap();
            let before = families.get(key).unwrap().unwrap().value().to_owned();
            let after = change(&before);
            families.insert(key, &*after).unwrap();
            if let (Some(before), Some(after)) = (Family::from_json(&before), Family::from_json(&after)) {
                ends.remove((before.ends_at().get(), key)).unwrap();
                ends.insert((after.ends_at().get(), key), ()).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn close(&self) {
        *self.store.lock().unwrap() = None;
    }
}

impl RefreshPlace for File {
    type Store = RedbRefreshStore;

    async fn open(&self) -> RedbRefreshStore {
        let open = || RedbRefreshStore::open_with(self.path(), self.clock.clone()).unwrap();
        self.store.lock().unwrap().get_or_insert_with(open).clone()
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        self.edit(family, |row| older(Family::from_json(row).unwrap(), by).to_json());
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.edit(family, |_| text.to_owned());
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

    async fn save(&mut self) -> Possible {
        self.close();
        std::fs::copy(self.path(), self.folder.path().join("saved")).unwrap();
        Possible::Yes
    }

    async fn roll_back(&mut self) -> Possible {
        self.close();
        std::fs::copy(self.folder.path().join("saved"), self.path()).unwrap();
        Possible::Yes
    }
}

impl Dump for File {
    async fn dump(&mut self) -> Vec<u8> {
        self.close();
        files_in(self.folder.path())
    }
}

#[tokio::test]
async fn a_session_that_is_used_is_not_forgotten_at_its_first_end() {
    const DAY: Duration = Duration::from_secs(86_400);
    let file = File::new();
    let store = file.open().await;
    let (policy, id) = (RefreshPolicy::new(), FamilyId::from_bytes([1; 16]));
    let share = ShareDigest::from_bytes([2; 16]);
    let family = Family::new(id, share, 1, LogIn::new("alice", "web"), &policy, store.now().await.unwrap());
    assert_eq!(store.open(family).await.unwrap(), Opened::New);
    file.clock.advance(6 * DAY);
    let outcome = store.rotate(Step::new(id, 0, share, "web", 1, &policy)).await.unwrap();
    assert!(matches!(outcome, Outcome::Rotated { .. }));
    file.clock.advance(2 * DAY);
    assert_eq!(store.forget_before(store.now().await.unwrap()).await.unwrap(), 0);
    assert!(store.find(id).await.unwrap().0.is_some());
    file.clock.advance(6 * DAY);
    assert_eq!(store.forget_before(store.now().await.unwrap()).await.unwrap(), 1);
    assert!(store.find(id).await.unwrap().0.is_none());
}

#[tokio::test]
async fn sessions_in_a_file() {
    sessions::work(File::new()).await;
}

#[tokio::test]
async fn the_store_in_a_file_keeps_the_contract() {
    RefreshStoreContract::new(File::new()).callers(CALLERS).check().await;
}

// On several threads, as an issuer: many callers of a store that has a thread of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_of_one_token_rotate_it_once_in_a_file() {
    crowd::rotates_once(File::new(), Duration::from_secs(60)).await;
}

/// Instances in one process, which share the files, on the system's clock.
struct Files {
    store: RedbRefreshStore,
    log: RedbLog,
    _folder: TempDir,
}

impl everywhere::Shared for Files {
    type Store = RedbRefreshStore;
    type Log = RedbLog;

    fn store(&self) -> RedbRefreshStore {
        self.store.clone()
    }

    fn log(&self) -> RedbLog {
        self.log.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_6_a_log_out_everywhere_with_64_refreshes_in_flight_ends_them_all_in_a_file() {
    let folder = TempDir::new().unwrap();
    let store = RedbRefreshStore::open(folder.path().join("sessions.redb")).unwrap();
    let log = RedbLog::open(folder.path().join("log.redb")).unwrap();
    everywhere::logs_out(Files { store, log, _folder: folder }).await;
}

const SUBJECTS: TableDefinition<'_, (&str, u128), ()> = TableDefinition::new("subjects");

impl rows::Rows for File {
    async fn load_v1(&mut self) {
        self.close();
        std::fs::write(self.path(), include_bytes!("../rows/v1/sessions.redb")).unwrap();
    }

    async fn make_later(&mut self, session: FamilyId) {
        self.edit(session, |row| row.replacen("\"v\":1", "\"v\":2", 1));
    }

    async fn stored(&mut self) -> String {
        self.close();
        let file = Database::create(self.path()).unwrap();
        let read = file.begin_read().unwrap();
        let mut stored = Vec::new();
        for row in read.open_table(FAMILIES).unwrap().iter().unwrap() {
            let (id, row) = row.unwrap();
            stored.push(format!("{:032x} {}", id.value(), row.value()));
        }
        for row in read.open_table(SUBJECTS).unwrap().iter().unwrap() {
            stored.push(format!("{:?}", row.unwrap().0.value()));
        }
        for row in read.open_table(ENDS).unwrap().iter().unwrap() {
            stored.push(format!("{:?}", row.unwrap().0.value()));
        }
        stored.join("\n")
    }
}

#[tokio::test]
async fn rows_of_version_1_in_a_file_are_served_and_later_ones_left_alone() {
    rows::are_read(File::new()).await;
}
