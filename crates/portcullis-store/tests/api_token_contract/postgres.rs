//! The store in PostgreSQL, and behind `PgBouncer`.

use portcullis_store::{PostgresApiTokenStore, PostgresLog, PostgresRefreshStore};
use portcullis_test::FixedClock;

use super::{
    instances::{Instance, a_revocation_arrives, all_is_well_again, an_outage, clock, has_none_of, texts_of_a_life},
    support::{admin::Admin, postgres::Postgres},
    *,
};

impl Postgres {
    fn store(&self) -> PostgresApiTokenStore {
        PostgresRefreshStore::new(&self.url()).unwrap().api_tokens()
    }

    /// Returns a store whose tables exist, and an administrator.
    async fn with_tables(&self) -> (PostgresApiTokenStore, Admin) {
        let store = self.store();
        store.all(None, 1).await.unwrap();
        (store, Admin::of(&self.server).await)
    }
}

impl ApiTokenPlace for Postgres {
    type Store = PostgresApiTokenStore;

    async fn open(&self) -> PostgresApiTokenStore {
        self.store()
    }

    async fn overwrite(&mut self, id: ApiTokenId) -> Possible {
        let statement = format!("UPDATE portcullis.api_tokens SET form = 2, token = 'x' WHERE id = '{id}'");
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
async fn the_api_tokens_in_postgres_keep_the_contract() {
    if let Some(postgres) = Postgres::start() {
        ApiTokenStoreContract::new(postgres).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_tokens_in_postgres_behind_pgbouncer_in_transaction_mode_keep_the_contract() {
    let Some(postgres) = Postgres::start_behind_pgbouncer() else { return };
    ApiTokenStoreContract::new(postgres).check().await;
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = postgres.with_tables().await;
    admin.run(include_str!("../rows/api-token-v1.sql")).await;
    let content = async || {
        let tokens = "SELECT coalesce(string_agg(t::text, ';'), '') FROM portcullis.api_tokens AS t";
        let below =
            "SELECT coalesce(string_agg(b::text, ';' ORDER BY ancestor), '') FROM portcullis.api_token_ancestors AS b";
        (admin.text(tokens).await, admin.text(below).await)
    };
    let before = content().await;
    is_read(&store).await;
    assert_eq!(content().await, before, "this version writes another form");
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    assert_eq!(content().await, (String::new(), String::new()), "what is forgotten leaves nothing behind");
}

#[tokio::test]
async fn more_are_forgotten_than_fit_into_one_statement_past_those_that_cannot_be_read() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = postgres.with_tables().await;
    many_that_are_over(&store, 1).await;
    let many = "INSERT INTO portcullis.api_tokens SELECT n::text, CASE WHEN n <= 20 THEN 2 ELSE 1 END, 0, n::text::bytea, 'user', 'many', '{}', \
                1, NULL, NULL, NULL, 'x' FROM generate_series(1, 2030) AS n";
    admin.run(many).await;
    assert_eq!(store.forget_before(Millis::new(2)).await.unwrap(), 2011);
    assert_eq!(admin.numbers("SELECT count(*) FROM portcullis.api_tokens").await, [21]);
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_api_tokens_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let (_, admin) = postgres.with_tables().await;
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('refresh_families', 'records', 'signing_keys')";
    assert_eq!(admin.numbers(tables).await, [0], "who has API tokens only needs no sessions");
    admin.run("CREATE ROLE limited LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA portcullis TO limited").await;
    admin.run("GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.api_tokens TO limited").await;
    let store = || {
        let store = PostgresRefreshStore::new(&postgres.server.url()).unwrap().credentials("limited", "p");
        store.api_tokens()
    };
    let error = store().find_by_id(numbered(1).id).await.unwrap_err();
    assert!(error.to_string().contains("\"portcullis\".api_token_ancestors"), "{error}");
    admin.run("GRANT SELECT, INSERT, UPDATE, DELETE ON portcullis.api_token_ancestors TO limited").await;
    let (store, row) = (store(), of_version_1());
    assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
    let mut changed = row.clone();
    changed.version += 1;
    assert_eq!(store.replace(&changed, Some(&numbered(9))).await.unwrap(), Changed::Stored);
    store.record_uses(&[ApiTokenUse::new(row.id, LastUse::new(Millis::new(1), None))]).await.unwrap();
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    // An administrator may run the SQL again.
    admin.run(&format!("BEGIN; {}; COMMIT", store.schema_sql())).await;
}

#[tokio::test]
async fn a_use_writes_no_index() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, admin) = postgres.with_tables().await;
    for number in 0..50 {
        assert_eq!(store.insert(&numbered(number)).await.unwrap(), Inserted::New);
    }
    for at in 1..=3 {
        let used = |number| ApiTokenUse::new(numbered(number).id, LastUse::new(Millis::new(at), None));
        store.record_uses(&(0..50).map(used).collect::<Vec<_>>()).await.unwrap();
    }
    drop(store);
    let updates = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'api_tokens'";
    support::time::until_answer("the statistics are written", async || admin.numbers(updates).await[0] == 150).await;
    let hot = admin.numbers(updates).await[1];
    assert!(hot >= 120, "of 150 updates, {hot} wrote no index");
}

async fn instance(postgres: &Postgres, clock: &FixedClock) -> Instance<PostgresApiTokenStore> {
    Instance::new(postgres.store(), PostgresLog::new(&postgres.server.url()).unwrap(), clock).await
}

#[tokio::test]
async fn pitfall_7_a_revocation_reaches_another_instance_by_postgres_and_an_outage_is_bridged_for_a_minute() {
    let Some(mut postgres) = Postgres::start() else { return };
    let clock = clock();
    let (one, other) = (instance(&postgres, &clock).await, instance(&postgres, &clock).await);
    let left = a_revocation_arrives(&one, &other).await;
    postgres.server.kill();
    an_outage(&other, &left, &clock).await;
    postgres.server.restart();
    all_is_well_again(&other, &left).await;
}

/// All rows of all tables.
#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_nowhere_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let texts = texts_of_a_life(&instance(&postgres, &clock()).await).await;
    let admin = Admin::of(&postgres.server).await;
    let dump = admin.text("SELECT schema_to_xml('portcullis', true, true, '')::text").await;
    has_none_of(&texts, "PostgreSQL", dump.as_bytes());
}
