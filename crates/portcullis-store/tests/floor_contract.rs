//! Every store of floors keeps the contract; with any one feature alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{fs, path::PathBuf, sync::Mutex};

use portcullis_core::{
    UnixTime,
    floors::{FloorErrorKind, FloorStore},
};
use portcullis_test::contract::{FloorPlace, FloorStoreContract, FloorSwitch, Possible};
use tempfile::TempDir;

const T: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A store in a file, which handles share: only one process can have it.
struct InFile<S> {
    folder: TempDir,
    open: fn(PathBuf, usize) -> S,
    store: Mutex<Option<S>>,
    small: Mutex<usize>,
}

impl<S> InFile<S> {
    fn new(open: fn(PathBuf, usize) -> S) -> Self {
        Self { folder: TempDir::new().unwrap(), open, store: Mutex::new(None), small: Mutex::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl<S: FloorStore + Clone> FloorPlace for InFile<S> {
    type Store = S;

    async fn open(&self) -> S {
        let open = || (self.open)(self.path("floors"), 1000);
        self.store.lock().unwrap().get_or_insert_with(open).clone()
    }

    async fn open_small(&self, names: usize) -> S {
        let mut small = self.small.lock().unwrap();
        *small += 1;
        (self.open)(self.path(&format!("small-{small}")), names)
    }

    /// What `kill -9` leaves behind: a copy of the file, made while it is open.
    async fn crash(&mut self) -> Possible {
        let (file, copy) = (self.path("floors"), self.path("copy"));
        fs::copy(&file, &copy).unwrap();
        *self.store.lock().unwrap() = None;
        fs::rename(copy, file).unwrap();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

#[cfg(unix)]
mod file {
    use std::os::unix::fs::PermissionsExt;

    use portcullis_store::FileFloors;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_floors_in_a_file_keep_the_contract() {
        let place = InFile::new(|path, names| FileFloors::open_with_limit(path, names).unwrap());
        FloorStoreContract::new(place)
            .without(FloorSwitch::CutOff, "the file is in the machine, and open")
            .check()
            .await;
    }

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_its_owner_can_read_the_file_and_only_one_process_can_use_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("floors");
        let floors = FileFloors::open(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        let error = FileFloors::open(&path).unwrap_err();
        assert_eq!(error.kind(), FloorErrorKind::Unavailable);
        assert!(error.to_string().contains("another process"), "{error}");
        drop(floors);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        drop(FileFloors::open(&path).unwrap());
        assert_eq!(mode(&path), 0o600, "it is rewritten at the start");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = FileFloors::open(&path).unwrap_err();
        assert!(error.kind() == FloorErrorKind::Corrupt && error.to_string().contains("chmod 600"), "{error}");
    }

    #[tokio::test]
    async fn a_line_that_was_broken_off_is_ignored_and_a_damaged_one_is_an_error() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("floors");
        let text = "{\"form\":1}\n{\"name\":\"a\",\"time\":1800000000}\n";
        for broken_off in ["", "{", "{\"name\":\"a\",\"time\":1800000001}", "\u{0}"] {
            fs::write(&path, format!("{text}{broken_off}")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let floors = FileFloors::open(&path).unwrap();
            assert_eq!(floors.load().await.unwrap()["a"], T, "{broken_off:?}");
            drop(floors);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        for damaged in [
            "",
            "\n",
            "{\"form\":2}\n",
            "{\"name\":\"a\",\"time\":1800000000}\n",
            "{\"form\":1}\n\n",
            "{\"form\":1}\n{\"name\":\"a\"}\n",
            "{\"form\":1}\n{\"name\":\"a\",\"time\":-1}\n",
            "{\"form\":1}\n{\"name\":\"a\",\"time\":\"1\"}\n",
            "{\"form\":1}\n{\"name\":1,\"time\":1}\n",
            "{\"form\":1}\n{\"name\":\"a\",\"time\":1,\"more\":1}\n",
            "{\"form\":1}\n{\"name\":\"a\",\"time\":1}garbage\n",
        ] {
            fs::write(&path, damaged).unwrap();
            let error = FileFloors::open(&path).unwrap_err();
            assert_eq!(error.kind(), FloorErrorKind::Corrupt, "{damaged:?}");
            assert!(error.to_string().contains("Restore it"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged, "it is left as it is");
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(FileFloors::open(&path).unwrap_err().kind(), FloorErrorKind::Corrupt);
    }

    #[tokio::test]
    async fn the_file_does_not_grow_with_the_number_of_changes() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("floors");
        let floors = FileFloors::open(&path).unwrap();
        for secs in 0..1500 {
            floors.raise("a", UnixTime::from_secs(secs)).await.unwrap();
            assert!(fs::read_to_string(&path).unwrap().lines().count() <= 1003);
        }
        drop(floors);
        let floors = FileFloors::open(&path).unwrap();
        assert_eq!(floors.load().await.unwrap()["a"], UnixTime::from_secs(1499));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        assert!(!folder.path().join("floors.new").exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_an_error_and_the_floors_are_written_when_it_is_back() {
        let folder = TempDir::new().unwrap();
        let (place, path) = (folder.path().join("place"), folder.path().join("place/floors"));
        let missing = FileFloors::open(&path).unwrap_err();
        assert_eq!(missing.kind(), FloorErrorKind::Unavailable);
        assert!(std::error::Error::source(&missing).is_some());
        fs::create_dir(&place).unwrap();
        let floors = FileFloors::open(&path).unwrap();
        floors.raise("a", T).await.unwrap();
        for secs in 0..900 {
            floors.raise("b", UnixTime::from_secs(secs)).await.unwrap();
        }
        fs::rename(&place, folder.path().join("away")).unwrap();
        let mut failed = 0;
        // As many changes as make it rewrite the file.
        for secs in 900..1100 {
            failed += usize::from(floors.raise("b", UnixTime::from_secs(secs)).await.is_err());
        }
        assert!(failed > 0, "it cannot be rewritten");
        fs::create_dir(&place).unwrap();
        assert_eq!(floors.raise("b", UnixTime::from_secs(1100)).await.unwrap(), UnixTime::from_secs(1100));
        let lines = fs::read_to_string(&path).unwrap();
        assert!(
            lines.contains("{\"name\":\"a\",\"time\":1800000000}")
                && lines.ends_with("{\"name\":\"b\",\"time\":1100}\n"),
            "{lines}"
        );
    }
}

#[cfg(feature = "redb")]
mod redb {
    use portcullis_store::RedbFloors;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_floors_in_redb_keep_the_contract() {
        let place = InFile::new(|path, names| RedbFloors::open_with_limit(path, names).unwrap());
        FloorStoreContract::new(place)
            .without(FloorSwitch::CutOff, "the file is in the machine, and open")
            .check()
            .await;
    }

    #[tokio::test]
    async fn a_second_process_and_another_file_are_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("floors.redb");
        let floors = RedbFloors::open(&path).unwrap();
        floors.raise("a", T).await.unwrap();
        let second = RedbFloors::open(&path).unwrap_err();
        assert!(
            second.kind() == FloorErrorKind::Unavailable && second.to_string().contains("open in another process"),
            "{second}"
        );
        drop(floors);
        assert_eq!(RedbFloors::open(&path).unwrap().load().await.unwrap()["a"], T);
        let other = folder.path().join("other");
        fs::write(&other, "something else").unwrap();
        let error = RedbFloors::open(&other).unwrap_err();
        assert!(error.kind() == FloorErrorKind::Corrupt && error.to_string().contains("accepted again"), "{error}");
        assert!(format!("{:?}", RedbFloors::open(&path).unwrap()).contains("floors.redb"));
    }
}
