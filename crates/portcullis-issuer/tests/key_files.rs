//! Tests the document in a file: its permissions, and processes that are killed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use portcullis_core::Algorithm;
use portcullis_issuer::key_ring::{FileSigningKeys, KeyRing, KeyRingErrorKind, Replaced, Sealing, SigningKeys};

const FOLDER: &str = "PORTCULLIS_KEY_FOLDER";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn write(store: &FileSigningKeys, text: &str) {
    let version = store.load().await.unwrap().map(|stored| stored.version());
    assert!(matches!(store.replace(version, text).await, Ok(Replaced::Stored(_))));
}

#[tokio::test]
async fn the_file_is_private_and_one_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let store = FileSigningKeys::new(&path);
    assert!(store.load().await.unwrap().is_none());
    write(&store, "one").await;
    assert_eq!(mode(&path), 0o600);
    for refused in [0o604, 0o602, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(refused)).unwrap();
        let error = store.load().await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("chmod 600"), "{cause}");
        assert!(store.replace(None, "two").await.is_err(), "{refused:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().text(), "one");
}

/// It may not be mounted yet: new keys would end all tokens.
#[tokio::test]
async fn a_missing_folder_is_an_error_and_not_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSigningKeys::new(folder.path().join("missing/keys"));
    assert!(store.load().await.is_err());
    let ring = KeyRing::builder(store, Algorithm::EdDsa, Sealing::danger_none()).start().await;
    assert_eq!(ring.unwrap_err().kind(), KeyRingErrorKind::Store);
}

#[tokio::test]
async fn a_file_that_is_none_of_this_store_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, store) = (folder.path().join("keys"), FileSigningKeys::new(folder.path().join("keys")));
    write(&store, "one").await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\none");
    for content in ["", "one", "one\ntwo"] {
        fs::write(&path, content).unwrap();
        assert!(store.load().await.unwrap_err().to_string().contains("number of a change"), "{content}");
    }
}

#[tokio::test]
async fn a_file_that_a_killed_process_has_left_half_written_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let store = FileSigningKeys::new(&path);
    write(&store, "one").await;
    let left = folder.path().join("keys.new");
    fs::write(&left, "tw").unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().text(), "one");
    write(&store, "two").await;
    assert_eq!((store.load().await.unwrap().unwrap().text(), mode(&path)), ("two", 0o600));
    assert!(!left.exists());
}

/// Run by the test below in a process of its own.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
async fn writer_that_is_killed() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let store = FileSigningKeys::new(Path::new(&folder).join("keys"));
    for number in 0u64.. {
        write(&store, &number.to_string().repeat(20_000)).await;
        println!("acknowledged {number}");
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_moment_leaves_a_whole_document_and_no_lock() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let store = FileSigningKeys::new(folder.path().join("keys"));
    for round in 0..20 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "writer_that_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acknowledged = lines.by_ref().filter(|line| line.contains("acknowledged")).nth(round).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = lines.filter(|line| line.contains("acknowledged")).last().unwrap_or(acknowledged);
        let acknowledged: u64 = acknowledged.rsplit(' ').next().unwrap().parse().unwrap();
        let stored = store.load().await.unwrap().unwrap();
        let text = &stored.text()[..stored.text().len() / 20_000];
        assert_eq!(stored.text(), text.repeat(20_000), "round {round}");
        assert!(text.parse::<u64>().unwrap() >= acknowledged, "round {round}: {text} after {acknowledged}");
        tokio::time::timeout(Duration::from_secs(5), write(&store, "free")).await.unwrap();
        fs::remove_file(folder.path().join("keys")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn pitfall_11_three_instances_that_start_at_once_over_a_file_have_one_active_key() {
    for round in 0..100 {
        let folder = tempfile::tempdir().unwrap();
        let mut starting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let store = FileSigningKeys::new(folder.path().join("keys"));
            starting.spawn(KeyRing::builder(store, Algorithm::EdDsa, Sealing::danger_none()).start());
        }
        let rings: Vec<_> = starting.join_all().await.into_iter().map(Result::unwrap).collect();
        let first = rings[0].document();
        assert!(rings.iter().all(|ring| ring.document() == first), "round {round}");
        assert_eq!(first.keys().len(), 2, "round {round}");
    }
}
