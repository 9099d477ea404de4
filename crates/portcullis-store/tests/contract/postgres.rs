//! The log in PostgreSQL, and behind `PgBouncer`.

use portcullis_store::PostgresLog;

use super::{
    support::{admin::Admin, postgres::Postgres},
    *,
};

impl Postgres {
    /// Runs statements on the server itself.
    async fn run(&self, statements: &str) {
        Admin::of(&self.server).await.run(statements).await;
    }
}

impl LogPlace for Postgres {
    type Log = PostgresLog;

    async fn open(&self) -> PostgresLog {
        PostgresLog::new(&self.url()).unwrap()
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
    let Some(postgres) = Postgres::start() else { return };
    keeps_the_contract(postgres).await;
}

#[tokio::test]
async fn the_log_in_postgres_behind_pgbouncer_in_transaction_mode_keeps_the_contract() {
    let Some(postgres) = Postgres::start_behind_pgbouncer() else { return };
    keeps_the_contract(postgres).await;
}

async fn keeps_the_contract(place: Postgres) {
    RevocationLogContract::new(place).without(Switch::Pass, CLOCK_OF_THE_MACHINE).check().await;
}
