//! The store in PostgreSQL, and behind `PgBouncer`.

use portcullis_core::revocation::RevocationLog;
use portcullis_issuer::refresh::{LogIn, Opened, RefreshPolicy, RefreshStore, ShareDigest, Step};
use portcullis_store::{PostgresLog, PostgresRefreshStore};
use real_servers::{PostgresServer, is_missing};
use tokio::task::JoinSet;

use super::{
    support::{admin::Admin, postgres::Postgres},
    *,
};

impl Postgres {
    /// Changes the family's row.
    async fn set(&self, family: FamilyId, columns: &str) {
        let id = u128::from_be_bytes(*family.as_bytes());
        let statement = format!("UPDATE portcullis.refresh_families SET {columns} WHERE id = '\\x{id:032x}'");
        Admin::of(&self.server).await.run(&statement).await;
    }
}

impl RefreshPlace for Postgres {
    type Store = PostgresRefreshStore;

    async fn open(&self) -> PostgresRefreshStore {
        PostgresRefreshStore::new(&self.url()).unwrap()
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let by = by.as_millis();
        let columns = format!(
            "rotated_at = rotated_at - {by}, idle_until = idle_until - {by}, absolute_until = absolute_until - {by}"
        );
        self.set(family, &columns).await;
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.set(family, &format!("form = {}, family = $${text}$$", form(text))).await;
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.server.kill();
        self.server.restart();
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        self.server.save();
        Possible::Yes
    }

    async fn roll_back(&mut self) -> Possible {
        self.server.restore();
        Possible::Yes
    }
}

impl Dump for Postgres {
    async fn dump(&mut self) -> Vec<u8> {
        let rows = "SELECT string_agg(family::text, ' ') FROM portcullis.refresh_families AS family";
        Admin::of(&self.server).await.text(rows).await.into_bytes()
    }
}

#[tokio::test]
async fn the_log_and_the_sessions_may_create_their_schema_at_the_same_time() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    for round in 0..10 {
        let schema = format!("round_{round}");
        let mut instances = JoinSet::new();
        for _ in 0..3 {
            let store = PostgresRefreshStore::new(&server.url()).unwrap().schema(&schema).unwrap();
            instances.spawn(async move { store.now().await.map(drop).map_err(|error| error.to_string()) });
            let log = PostgresLog::new(&server.url()).unwrap().schema(&schema).unwrap();
            instances.spawn(async move {
                log.read(None, Duration::ZERO).await.map(drop).map_err(|error| error.to_string())
            });
        }
        let failed: Vec<_> = instances.join_all().await.into_iter().filter_map(Result::err).collect();
        assert_eq!(failed, [""; 0]);
    }
}

#[tokio::test]
async fn sessions_in_postgres() {
    if let Some(postgres) = Postgres::start() {
        sessions::work(postgres).await;
    }
}

#[tokio::test]
async fn the_store_in_postgres_keeps_the_contract() {
    let Some(place) = Postgres::start() else { return };
    RefreshStoreContract::new(place).callers(CALLERS).check().await;
}

#[tokio::test]
async fn the_store_in_postgres_behind_pgbouncer_in_transaction_mode_keeps_the_contract() {
    let Some(postgres) = Postgres::start_behind_pgbouncer() else { return };
    RefreshStoreContract::new(postgres).check().await;
}

#[tokio::test]
async fn a_row_of_a_later_form_is_not_rotated_in_postgres() {
    let Some(mut place) = Postgres::start() else { return };
    let (store, id, share) = (place.open().await, FamilyId::from_bytes([1; 16]), ShareDigest::from_bytes([2; 16]));
    let policy = RefreshPolicy::new();
    let family = Family::new(id, share, 1, LogIn::new("alice", "web"), &policy, store.now().await.unwrap());
    assert_eq!(store.open(family.clone()).await.unwrap(), Opened::New);
    place.overwrite(id, &family.to_json().replace("\"v\":1", "\"v\":2")).await;
    assert!(store.rotate(Step::new(id, 0, share, "web", 1, &policy)).await.is_err());
    assert_eq!(
        Admin::of(&place.server).await.text("SELECT generation FROM portcullis.refresh_families").await,
        "0",
        "an old instance has rotated what it cannot read"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_of_one_token_rotate_it_once_in_postgres() {
    if let Some(place) = Postgres::start() {
        crowd::rotates_once(place, Duration::from_secs(60)).await;
    }
}

impl everywhere::Shared for Postgres {
    type Store = PostgresRefreshStore;
    type Log = PostgresLog;

    fn store(&self) -> PostgresRefreshStore {
        PostgresRefreshStore::new(&self.server.url()).unwrap()
    }

    fn log(&self) -> PostgresLog {
        PostgresLog::new(&self.server.url()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_6_a_log_out_everywhere_with_64_refreshes_in_flight_ends_them_all_in_postgres() {
    if let Some(postgres) = Postgres::start() {
        everywhere::logs_out(postgres).await;
    }
}

impl rows::Rows for Postgres {
    async fn load_v1(&mut self) {
        let admin = Admin::of(&self.server).await;
        admin.run("DELETE FROM portcullis.refresh_families").await;
        admin.run(include_str!("../rows/v1/postgres.sql")).await;
    }

    async fn make_later(&mut self, session: FamilyId) {
        self.set(session, "form = 2").await;
    }

    async fn stored(&mut self) -> String {
        String::from_utf8(self.dump().await).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_version_1_in_postgres_are_served_and_later_ones_left_alone() {
    if let Some(postgres) = Postgres::start() {
        rows::are_read(postgres).await;
    }
}
