//! The store in PostgreSQL, and behind `PgBouncer`.

use portcullis_store::{PostgresRecordStore, PostgresRefreshStore};

use super::{
    support::{admin::Admin, postgres::Postgres},
    *,
};

impl Postgres {
    fn store(&self) -> PostgresRecordStore {
        PostgresRefreshStore::new(&self.url()).unwrap().records()
    }
}

impl RecordPlace for Postgres {
    type Store = PostgresRecordStore;

    async fn open(&self) -> PostgresRecordStore {
        self.store()
    }

    async fn pass(&mut self, _: Duration) {}

    async fn overwrite(&mut self, key: &RecordKey) -> Possible {
        let statement = format!(
            "UPDATE portcullis.records SET form = 2, text = '\\x32' WHERE kind = '{}' AND group_name = $${}$$ AND id = $${}$$",
            key.group().kind().name(),
            key.group().name(),
            key.id()
        );
        Admin::of(&self.server).await.run(&statement).await;
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.server.kill();
        self.server.restart();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.server.kill();
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.server.restart();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_in_postgres_keep_the_contract() {
    if let Some(postgres) = Postgres::start() {
        RecordStoreContract::new(postgres).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_in_postgres_behind_pgbouncer_in_transaction_mode_keep_the_contract() {
    let Some(postgres) = Postgres::start_behind_pgbouncer() else { return };
    RecordStoreContract::new(postgres).check().await;
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = (postgres.store(), Admin::of(&postgres.server).await);
    store.now().await.unwrap(); // creates the tables
    admin.run(include_str!("../rows/record-v1.sql")).await;
    is_read(&store).await;
    let columns = "SELECT string_agg(concat_ws(' ', kind, group_name, id, form, ends_at, text), '; ' ORDER BY id) FROM portcullis.records";
    let text = "\\x616c6963653a206cc3ad6e65610a";
    let row = |id: &str| format!("user_of_client https://app.example/línea {id} 1 4102444800000 {text}");
    assert_eq!(admin.text(columns).await, format!("{}; {}", row("alice/a.b"), row("other")));
}

#[tokio::test]
async fn what_has_ended_leaves_the_table() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = (postgres.store(), Admin::of(&postgres.server).await);
    let live = three_of_which_one_lives(&store).await;
    let later = "INSERT INTO portcullis.records VALUES ('code', 'group', 'later', 2, 7000, 1, 'x')";
    admin.run(later).await;
    admin.run("INSERT INTO portcullis.records SELECT 'code', 'many', n::text, 1, n, 1, 'x' FROM generate_series(1, 1005) AS n").await;
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1006);
    let left = admin.text("SELECT string_agg(id, ' ' ORDER BY id) FROM portcullis.records").await;
    assert_eq!(left, "later live");
    assert_eq!(store.find(&live).await.unwrap().unwrap().text(), "live");
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_records_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let admin = Admin::of(&postgres.server).await;
    postgres.store().now().await.unwrap(); // creates the tables
    admin.run("CREATE ROLE limited LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA portcullis TO limited").await;
    admin.run("GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.refresh_families TO limited").await;
    admin.run("GRANT SELECT, INSERT, UPDATE ON portcullis.signing_keys TO limited").await;
    let store = || {
        let store = PostgresRefreshStore::new(&postgres.server.url()).unwrap().credentials("limited", "p");
        store.records()
    };
    let error = store().find(&other()).await.unwrap_err();
    assert!(error.to_string().contains("\"portcullis\".records"), "{error}");
    admin.run("GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.records TO limited").await;
    let store = store();
    three_of_which_one_lives(&store).await;
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
}
