//! `PgBouncer`, from Debian's package.
#![expect(clippy::expect_used, reason = "a server that cannot be set up is a test that has failed")]

use std::fs;

use tempfile::TempDir;

use crate::{
    postgres::{Owner, PostgresServer, command},
    process::{ReservedPort, Running},
};

/// A `PgBouncer` in transaction mode before a [`PostgresServer`], ended with this value.
#[derive(Debug)]
pub struct PgBouncer {
    port: ReservedPort,
    _running: Running,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one. `is_missing("pgbouncer")` says whether that is possible here.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn before(server: &PostgresServer) -> Self {
        let (folder, reserved) = (TempDir::new().expect("a folder"), ReservedPort::new());
        let file = folder.path().join("pgbouncer.ini");
        let (behind, port, password) = (server.port(), reserved.number(), PostgresServer::password());
        let settings = format!(
            "[databases]\nservice = host=127.0.0.1 port={behind} dbname=service user=service password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\nserver_login_retry = 1\n"
        );
        fs::write(&file, settings).expect("a file");
        // It refuses to run as root, too.
        let mut command = command("pgbouncer", Owner::needed_in(folder.path()));
        command.arg(file);
        Self { _running: Running::start(command, port, folder.path()), _folder: folder, port: reserved }
    }

    /// Returns the URL of the database behind it.
    #[must_use]
    pub fn url(&self) -> String {
        PostgresServer::url_by(self.port.number())
    }
}
