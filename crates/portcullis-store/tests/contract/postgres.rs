//! The log in PostgreSQL, and behind `PgBouncer`.

use portcullis_store::PostgresLog;
use real_servers::{PgBouncer, PostgresServer, is_missing};

use super::{support::admin::Admin, *};

struct Postgres {
    server: PostgresServer,
    /// What instances connect to, instead of the server.
    before: Option<PgBouncer>,
}

impl Postgres {
    /// Runs statements on the server itself.
    async fn run(&self, statements: &str) {
        Admin::of(&self.server).await.run(statements).await;
    }
}

impl LogPlace for Postgres {
    type Log = PostgresLog;

    async fn open(&self) -> PostgresLog {
        let url = self.before.as_ref().map_or_else(|| self.server.url(), PgBouncer::url);
        PostgresLog::new(&url).unwrap()
    }

    async fn crash(&mut self) -> Possible {
        self.server.kill();
        self.server.restart();
        Possible::Yes
    }

    async fn lose_everything(&mut self) -> Possible {
        self.run("DROP SCHEMA portcullis CASCADE").await;
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

    async fn trim(&mut self) -> Possible {
        let keep = "(SELECT max(position) - 600 FROM portcullis.revocations)";
        self.run(&format!("DELETE FROM portcullis.revocations WHERE position <= {keep}")).await;
        Possible::Yes
    }

    async fn write(&mut self, texts: &[&str]) -> Possible {
        for text in texts {
            self.run(&format!("SELECT portcullis.append_revocations(ARRAY[$${text}$$], ARRAY[4000000000])")).await;
        }
        Possible::Yes
    }

    async fn pass(&mut self, _time: Duration) -> Possible {
        Possible::No
    }
}

#[tokio::test]
async fn the_log_in_postgres_keeps_the_contract() {
    if is_missing("postgres") {
        return;
    }
    keeps_the_contract(Postgres { server: PostgresServer::start(), before: None }).await;
}

#[tokio::test]
async fn the_log_in_postgres_behind_pgbouncer_in_transaction_mode_keeps_the_contract() {
    if is_missing("postgres") || is_missing("pgbouncer") {
        return;
    }
    let server = PostgresServer::start();
    let before = Some(PgBouncer::before(&server));
    keeps_the_contract(Postgres { server, before }).await;
}

async fn keeps_the_contract(place: Postgres) {
    RevocationLogContract::new(place).without(Switch::Pass, CLOCK_OF_THE_MACHINE).check().await;
}
