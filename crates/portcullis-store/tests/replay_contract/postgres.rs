//! The store in PostgreSQL, and behind `PgBouncer`.

use portcullis_store::PostgresReplayStore;

use super::{
    support::{admin::Admin, postgres::Postgres},
    *,
};

impl Postgres {
    fn store(&self) -> PostgresReplayStore {
        PostgresReplayStore::new(&self.url()).unwrap()
    }
}

impl ReplayPlace for Postgres {
    type Store = PostgresReplayStore;

    async fn open(&self) -> PostgresReplayStore {
        self.store()
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

    async fn fill(&mut self) -> Possible {
        Possible::No
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proofs_in_postgres_keep_the_contract() {
    if let Some(postgres) = Postgres::start() {
        let contract = ReplayStoreContract::new(postgres);
        contract.without(ReplaySwitch::Fill, "it has no limit but its disk").check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proofs_in_postgres_behind_pgbouncer_in_transaction_mode_keep_the_contract() {
    let Some(postgres) = Postgres::start_behind_pgbouncer() else { return };
    let contract = ReplayStoreContract::new(postgres);
    contract.without(ReplaySwitch::Fill, "it has no limit but its disk").check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_7_of_a_thousand_concurrent_duplicates_one_is_accepted_by_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    of_a_thousand_duplicates_one_is_accepted([postgres.store(), postgres.store()]).await;
}

#[tokio::test]
async fn ids_that_have_ended_leave_the_table_and_no_name_is_in_it() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = (postgres.store(), Admin::of(&postgres.server).await);
    assert_eq!(ask(&store, "4f7c").await, Once::First);
    let left = "SELECT (ends_at - extract(epoch FROM clock_timestamp()) * 1000 BETWEEN 60000 AND 120000)::text FROM portcullis.used_proofs";
    assert_eq!(admin.text(left).await, "true", "a minute longer than the nonce");
    let id = format!("{:032x}", u128::from_be_bytes(*key("4f7c").as_bytes()));
    assert_eq!(admin.text("SELECT encode(id, 'hex') FROM portcullis.used_proofs").await, id);

    admin.run("INSERT INTO portcullis.used_proofs SELECT int8send(n), n FROM generate_series(1, 2500) AS n").await;
    let count = "SELECT count(*)::text FROM portcullis.used_proofs";
    for (later, expected) in [(1, 1502), (2, 503), (2, 504), (3, 5)] {
        let now = NOW.plus(Duration::from_secs(later));
        let id = format!("{later} {expected}");
        assert_eq!(store.accept_once(key(&id), UNTIL, now).outcome().await.unwrap(), Once::First);
        assert_eq!(admin.text(count).await, expected.to_string(), "in second {later}");
    }
    assert_eq!(ask(&store, "4f7c").await, Once::Repeated);
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_proofs_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let admin = Admin::of(&postgres.server).await;
    assert_eq!(ask(&postgres.store(), "creates the table").await, Once::First);
    admin.run("CREATE ROLE limited LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA portcullis TO limited").await;
    admin.run("GRANT SELECT, INSERT, UPDATE ON portcullis.used_proofs TO limited").await;
    let store = postgres.store().credentials("limited", "p");
    let (code, cause) = fault(&store, "1").await;
    assert!(code == Code::ReplayUndecided && cause.contains("\"portcullis\".used_proofs"), "{cause}");
    admin.run("GRANT DELETE ON portcullis.used_proofs TO limited").await;
    assert_eq!(ask(&store, "1").await, Once::First);
    assert_eq!(ask(&store, "1").await, Once::Repeated);
    assert!(figures(&store).contains("portcullis_replay_undecided_total{source=\"proofs\"} 1"));
}

#[tokio::test]
async fn the_table_can_be_created_by_an_administrator_in_a_schema_of_any_name() {
    let Some(postgres) = Postgres::start() else { return };
    let admin = Admin::of(&postgres.server).await;
    let store = postgres.store().schema("billing").unwrap();
    for _ in 0..2 {
        admin.run(&store.schema_sql()).await;
    }
    admin.run("GRANT USAGE ON SCHEMA billing TO service").await;
    admin.run("GRANT SELECT, INSERT, UPDATE, DELETE ON billing.used_proofs TO service").await;
    assert_eq!(ask(&store, "1").await, Once::First);
    assert_eq!(ask(&postgres.store(), "1").await, Once::First, "another schema");
    assert_eq!(ask(&store, "1").await, Once::Repeated);
    assert_eq!(admin.text("SELECT count(*)::text FROM billing.used_proofs").await, "1");
}

#[test]
fn a_bad_url_or_schema_is_refused_without_showing_it() {
    for url in
        ["mysql://user:s3cret@localhost", "postgres://user:s3cret@localhost/a?sslmode=verify-full", "dbname=s3cret"]
    {
        let error = PostgresReplayStore::new(url).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
    let store = PostgresReplayStore::new("postgres://user:s3cret@localhost/a").unwrap();
    assert!(!format!("{store:?}").contains("s3cret"));
    for name in ["", "1a", "a b", "pg_a", "A", "a\"b"] {
        assert!(store.schema(name).is_err(), "{name}");
    }
    assert!(store.schema("a_1").is_ok());
}
