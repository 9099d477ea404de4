//! [`Admin`]: looks at a PostgreSQL server, and changes what is on it.

use real_servers::PostgresServer;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

use super::time::until_answer;

/// An administrator of the server, and the task of its connection.
pub struct Admin(pub Client, JoinSet<Result<(), Error>>);

impl Admin {
    pub async fn of(server: &PostgresServer) -> Self {
        Self::at(&server.admin_url()).await
    }

    pub async fn at(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(connection);
        Self(client, task)
    }

    pub async fn run(&self, statements: &str) {
        self.0.batch_execute(statements).await.unwrap();
    }

    pub async fn waiting_for_locks(&self) -> i64 {
        self.numbers("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").await[0]
    }

    /// The server's clock.
    pub async fn now(&self) -> String {
        self.text("SELECT clock_timestamp()").await
    }

    /// Waits until a session of the service has read a page since that time, and got nothing.
    pub async fn until_a_reader_waits(&self, since: &str) {
        let waiting = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'service' AND state = 'idle' AND query = 'COMMIT' \
             AND state_change > '{since}'"
        );
        until_answer("a reader waits", async || self.numbers(&waiting).await == [1]).await;
    }

    /// The first row, all of whose columns are numbers.
    pub async fn numbers(&self, query: &str) -> Vec<i64> {
        let columns = self.row(query).await;
        columns.iter().map(|column| column.parse().unwrap()).collect()
    }

    /// The first column of the first row.
    pub async fn text(&self, query: &str) -> String {
        self.row(query).await.swap_remove(0)
    }

    async fn row(&self, query: &str) -> Vec<String> {
        let rows = self.0.simple_query(query).await.unwrap();
        let row = rows.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = row.unwrap();
        (0..row.len()).map(|at| row.get(at).unwrap().to_owned()).collect()
    }
}
