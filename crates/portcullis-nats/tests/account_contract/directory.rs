//! In files.

use std::{fs, path::PathBuf};

use portcullis_nats::{
    accounts::AccountDirectory,
    nkey::{AccountKey, KeyPair, Role},
};
use portcullis_test::contract::{AccountPlace, AccountResolverContract, Possible};
use tempfile::TempDir;

/// How files are named.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Flat,
    Sharded,
    Nsc,
}

struct Directory {
    folder: TempDir,
    layout: Layout,
    operator: KeyPair,
}

impl Directory {
    fn new(layout: Layout) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("accounts")).unwrap();
        Self { folder, layout, operator: KeyPair::generate(Role::Operator).unwrap() }
    }

    fn file(&self, id: &AccountKey) -> PathBuf {
        let (folder, id) = (self.folder.path().join("accounts"), id.as_str());
        match self.layout {
            Layout::Flat => folder.join(format!("{id}.jwt")),
            Layout::Sharded => folder.join(&id[54..]).join(format!("{id}.jwt")),
            Layout::Nsc => folder.join(format!("name {}", &id[..8])).join(format!("name {}.jwt", &id[..8])),
        }
    }
}

impl AccountPlace for Directory {
    type Resolver = AccountDirectory;

    async fn open(&self) -> AccountDirectory {
        match self.layout {
            Layout::Nsc => AccountDirectory::nsc(self.folder.path()).unwrap(),
            Layout::Flat | Layout::Sharded => AccountDirectory::new(self.folder.path().join("accounts")).unwrap(),
        }
    }

    fn operator(&self) -> &KeyPair {
        &self.operator
    }

    async fn put(&mut self, id: &AccountKey, token: &str) {
        fs::create_dir_all(self.file(id).parent().unwrap()).unwrap();
        fs::write(self.file(id), format!("{token}\n")).unwrap();
        // An index is read again five seconds after the last time.
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
    }

    async fn remove(&mut self, id: &AccountKey) -> Possible {
        fs::rename(self.file(id), self.file(id).with_extension("jwt.deleted")).unwrap();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        // What is there instead of the folder cannot be read as one.
        let folder = self.folder.path().join("accounts");
        fs::rename(&folder, self.folder.path().join("away")).unwrap();
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        fs::rename(self.folder.path().join("away"), self.folder.path().join("accounts")).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_of_nats_server_follows_the_contract() {
    AccountResolverContract::new(Directory::new(Layout::Flat)).check().await;
}

#[tokio::test(start_paused = true)]
async fn a_sharded_folder_of_nats_server_follows_the_contract() {
    AccountResolverContract::new(Directory::new(Layout::Sharded)).check().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_of_nsc_follows_the_contract() {
    AccountResolverContract::new(Directory::new(Layout::Nsc)).check().await;
}
