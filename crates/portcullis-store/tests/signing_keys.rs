//! Every store of signing keys keeps the contract, on the servers that are there.
#![cfg(feature = "issuer")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use portcullis_test::contract::{Possible, SigningKeysContract, SigningKeysPlace, SigningKeysSwitch};

#[cfg(feature = "redb")]
mod redb {
    use std::sync::Mutex;

    use portcullis_store::{RedbRefreshStore, RedbSigningKeys};
    use tempfile::TempDir;

    use super::*;

    struct File {
        folder: TempDir,
        store: Mutex<Option<RedbRefreshStore>>,
    }

    impl SigningKeysPlace for File {
        type Store = RedbSigningKeys;

        async fn open(&self) -> RedbSigningKeys {
            let open = || RedbRefreshStore::open(self.folder.path().join("issuer.redb")).unwrap();
            self.store.lock().unwrap().get_or_insert_with(open).signing_keys()
        }

        /// What `kill -9` leaves behind: a copy of the file, made while it is open.
        async fn crash(&mut self) -> Possible {
            let (file, copy) = (self.folder.path().join("issuer.redb"), self.folder.path().join("copy"));
            std::fs::copy(&file, &copy).unwrap();
            *self.store.lock().unwrap() = None;
            std::fs::rename(copy, file).unwrap();
            Possible::Yes
        }

        async fn cut_off(&mut self) -> Possible {
            Possible::No
        }

        async fn reconnect(&mut self) {}
    }

    #[tokio::test]
    async fn the_keys_in_a_file_keep_the_contract() {
        let place = File { folder: TempDir::new().unwrap(), store: Mutex::new(None) };
        let contract = SigningKeysContract::new(place);
        contract.without(SigningKeysSwitch::CutOff, "the file is in the machine, and open").check().await;
    }
}

#[cfg(feature = "redis")]
mod redis {
    use portcullis_store::{RedisRefreshStore, RedisSigningKeys};
    use real_servers::{RedisServer, is_missing};

    use super::*;

    struct Redis(RedisServer);

    impl SigningKeysPlace for Redis {
        type Store = RedisSigningKeys;

        async fn open(&self) -> RedisSigningKeys {
            RedisRefreshStore::new(&self.0.url()).unwrap().signing_keys()
        }

        async fn crash(&mut self) -> Possible {
            self.0.restart();
            Possible::Yes
        }

        async fn cut_off(&mut self) -> Possible {
            self.0.kill();
            Possible::Yes
        }

        async fn reconnect(&mut self) {
            self.0.restart();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_keys_in_redis_keep_the_contract() {
        if !is_missing("redis-server") {
            SigningKeysContract::new(Redis(RedisServer::start())).check().await;
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use portcullis_store::{PostgresRefreshStore, PostgresSigningKeys};
    use real_servers::{PostgresServer, is_missing};

    use super::*;

    struct Postgres(PostgresServer);

    impl SigningKeysPlace for Postgres {
        type Store = PostgresSigningKeys;

        async fn open(&self) -> PostgresSigningKeys {
            PostgresRefreshStore::new(&self.0.url()).unwrap().signing_keys()
        }

        async fn crash(&mut self) -> Possible {
            self.0.kill();
            self.0.restart();
            Possible::Yes
        }

        async fn cut_off(&mut self) -> Possible {
            self.0.kill();
            Possible::Yes
        }

        async fn reconnect(&mut self) {
            self.0.restart();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_keys_in_postgres_keep_the_contract() {
        if !is_missing("postgres") {
            SigningKeysContract::new(Postgres(PostgresServer::start())).check().await;
        }
    }
}
