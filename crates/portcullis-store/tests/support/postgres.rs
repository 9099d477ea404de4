//! [`Postgres`]: a server in which a store has its rows.

use real_servers::{PgBouncer, PostgresServer, is_missing};

/// A PostgreSQL server, perhaps behind `PgBouncer`.
pub struct Postgres {
    pub server: PostgresServer,
    before: Option<PgBouncer>,
}

impl Postgres {
    /// Starts a server; `None` if PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        (!is_missing("postgres")).then(|| Self { server: PostgresServer::start(), before: None })
    }

    /// Starts a server behind `PgBouncer` in transaction mode; `None` if one of them is not installed.
    pub fn start_behind_pgbouncer() -> Option<Self> {
        let server = (!is_missing("postgres") && !is_missing("pgbouncer")).then(PostgresServer::start)?;
        let before = Some(PgBouncer::before(&server));
        Some(Self { server, before })
    }

    /// Returns what instances connect to.
    pub fn url(&self) -> String {
        self.before.as_ref().map_or_else(|| self.server.url(), PgBouncer::url)
    }
}
