//! Searches by an index stay fast with a million rows; a scan of the table does not.

use real_servers::{PostgresServer, is_missing};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::{statements::Statements, *};

const MANY: &str = r"
    INSERT INTO portcullis.api_tokens
    SELECT 'R' || lpad(n::text, 25, '0'), 1, 0, sha256(n::text::bytea), 'user', 'owner ' || n % 1000,
           CASE WHEN n % 10 = 0 THEN ARRAY['R0000000000000000000000001', 'R0000000000000000000000002'] ELSE '{}' END,
           CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 100 = 0 THEN n END, NULL, NULL, repeat('x', 400)
    FROM generate_series(1, 30000) AS n;
    INSERT INTO portcullis.api_token_ancestors SELECT unnest(path), id FROM portcullis.api_tokens";

/// Each statement with the types and values of its parameters.
fn searches(of: &Statements<'_>) -> Vec<(String, &'static str, &'static str)> {
    let row = "'S', 1, sha256('new'), 'user', 'owner 1', '{}', 1, NULL";
    let new: &'static str = Box::leak(format!("{row}, NULL, NULL, 'x'").into_boxed_str());
    let changed: &'static str = Box::leak(format!("{row}, 'x'").into_boxed_str());
    let both: &'static str = Box::leak(format!("{changed}, {new}").into_boxed_str());
    let [of_new, of_changed] = [
        "text, int8, bytea, text, text, text[], int8, int8, int8, text, text",
        "text, int8, bytea, text, text, text[], int8, int8, text",
    ];
    let of_both: &'static str = Box::leak(format!("{of_changed}, {of_new}").into_boxed_str());
    vec![
        (of.insert(), of_new, new),
        (of.find(), "bytea", "sha256('10')"),
        (of.find_by_id(), "text", "'R0000000000000000000000007'"),
        (of.replace(), of_changed, changed),
        (of.replace_and_insert(), of_both, both),
        (of.list(), "text, text, text, int8", "'user', 'owner 7', '', 100"),
        (of.count_live(), "text, text, int8", "'user', 'owner 7', 100"),
        (of.derived_from(), "text, text, int8", "'R0000000000000000000000001', '', 100"),
        (of.all(), "text, int8", "'R0000000000000000000000007', 100"),
        (of.ending(), "int8, text, int8, int8", "100, '', 2000, 100"),
        (of.record_uses(), "text[], int8[], text[]", "'{R0000000000000000000000007}', '{7}', '{NULL}'"),
        (of.forget(), "int8", "100"),
    ]
}

async fn plan(client: &Client, (statement, types, values): &(String, &str, &str)) -> String {
    let explain = format!(
        "SET enable_sort = off; PREPARE search ({types}) AS {statement}; EXPLAIN (COSTS OFF) EXECUTE search ({values})"
    );
    let lines = client.simple_query(&explain).await.unwrap();
    client.batch_execute("DEALLOCATE search").await.unwrap();
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(|line| format!("{line}\n")),
        _ => None,
    };
    lines.iter().filter_map(line).collect()
}

#[tokio::test]
async fn no_statement_reads_the_whole_table() {
    if is_missing("postgres") {
        return;
    }
    let server = PostgresServer::start();
    let store = PostgresRefreshStore::new(&server.url()).unwrap().api_tokens();
    assert!(store.all(None, 1).await.unwrap().rows.is_empty()); // creates the tables
    let (client, connection) = tokio_postgres::connect(&server.admin_url(), NoTls).await.unwrap();
    let mut task = JoinSet::new();
    task.spawn(connection);
    client.batch_execute(MANY).await.unwrap();
    for analyzed in [false, true] {
        if analyzed {
            client
                .batch_execute("ANALYZE portcullis.api_tokens; ANALYZE portcullis.api_token_ancestors")
                .await
                .unwrap();
        }
        for search in searches(&store.statements()) {
            let plan = plan(&client, &search).await;
            let reads_all = plan.contains("Seq Scan on api_token");
            assert!(!reads_all, "analyzed: {analyzed}\n{}\n{plan}", search.0);
        }
    }
}
