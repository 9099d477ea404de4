//! Files that are not what they should be.
#![cfg(feature = "chain")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::fs;

use portcullis_nats::{
    accounts::{AccountDirectory, AccountResolver as _},
    nkey::{AccountKey, KeyPair, Role},
};

fn id() -> AccountKey {
    AccountKey::try_from(*KeyPair::generate(Role::Account).unwrap().public_key()).unwrap()
}

#[tokio::test]
async fn a_file_has_at_most_a_mebibyte() {
    let (folder, id) = (tempfile::tempdir().unwrap(), id());
    let accounts = AccountDirectory::new(folder.path()).unwrap();
    let path = folder.path().join(format!("{id}.jwt"));
    fs::write(&path, "t".repeat(1024 * 1024)).unwrap();
    assert_eq!(accounts.fetch(&id).await.unwrap().unwrap().len(), 1024 * 1024);
    fs::write(&path, "t".repeat(1024 * 1024 + 1)).unwrap();
    assert!(accounts.fetch(&id).await.is_err());
    fs::write(&path, [0xff]).unwrap();
    assert!(accounts.fetch(&id).await.is_err(), "it is not UTF-8");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(accounts.fetch(&id).await.is_err(), "it is no file");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_does_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let (folder, outside, [out, within]) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), [id(), id()]);
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path().join("secret"), folder.path().join(format!("{out}.jwt"))).unwrap();
    // As Kubernetes mounts a `ConfigMap`.
    fs::create_dir(folder.path().join("..2027")).unwrap();
    fs::write(folder.path().join("..2027").join(format!("{within}.jwt")), "token").unwrap();
    symlink("..2027", folder.path().join("..data")).unwrap();
    symlink(format!("..data/{within}.jwt"), folder.path().join(format!("{within}.jwt"))).unwrap();
    let accounts = AccountDirectory::new(folder.path()).unwrap();
    let error = accounts.fetch(&out).await.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(accounts.fetch(&within).await.unwrap().as_deref(), Some("token"));
    // A folder that is itself a link is one.
    let link = outside.path().join("link");
    symlink(folder.path(), &link).unwrap();
    assert!(AccountDirectory::new(link).unwrap().fetch(&within).await.unwrap().is_some());
}

/// A release, or the folder of a `ConfigMap`, is replaced by changing a link.
#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_folder_may_be_changed() {
    use std::os::unix::fs::symlink;
    let (base, id) = (tempfile::tempdir().unwrap(), id());
    let release = |name: &str| {
        let folder = base.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(format!("{id}.jwt")), name).unwrap();
        folder
    };
    let current = base.path().join("current");
    symlink(release("before"), &current).unwrap();
    let accounts = AccountDirectory::new(&current).unwrap();
    assert_eq!(accounts.fetch(&id).await.unwrap().as_deref(), Some("before"));
    symlink(release("after"), base.path().join("next")).unwrap();
    fs::rename(base.path().join("next"), &current).unwrap();
    assert_eq!(accounts.fetch(&id).await.unwrap().as_deref(), Some("after"));
    fs::remove_file(&current).unwrap();
    assert!(accounts.fetch(&id).await.is_err(), "it says nothing about accounts");
}

#[test]
fn a_folder_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(AccountDirectory::new(folder.path()).is_ok());
    for missing in ["missing", "file"] {
        let error = AccountDirectory::new(folder.path().join(missing)).unwrap_err();
        assert!(error.to_string().contains(missing), "{error}");
    }
    assert!(AccountDirectory::nsc(folder.path()).is_err(), "there is no `accounts` in it");
    fs::create_dir(folder.path().join("accounts")).unwrap();
    assert!(AccountDirectory::nsc(folder.path()).is_ok());
}
