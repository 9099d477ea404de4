//! Redis, from Debian's `redis-server` (with `redis-cli`), or Valkey.
#![expect(clippy::expect_used, reason = "a server that cannot be set up is a test that has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{ReservedPort, Running, find};

/// A Redis server that keeps what it has acknowledged, unless it is told otherwise.
///
/// The environment variable `PORTCULLIS_REDIS` names another program than `redis-server`, such as `valkey-server`.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    port: ReservedPort,
    program: &'static str,
    options: Vec<(String, String)>,
    /// Only speaks TLS.
    is_tls: bool,
    running: Option<Running>,
}

impl RedisServer {
    /// A server that writes all to its disk before it says so.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Valkey with the settings of [`start`](Self::start). `is_missing("valkey-server")` says whether that is possible here.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_valkey() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), "valkey-server", &[], false)
    }

    /// A server with these settings beside the ones of [`start`](Self::start), or instead of them.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with(options: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), "redis-server", options, false)
    }

    fn start_in(folder: TempDir, program: &'static str, options: &[(&str, &str)], is_tls: bool) -> Self {
        let mut server =
            Self { folder, port: ReservedPort::new(), program, options: owned(options), is_tls, running: None };
        server.restart();
        server
    }

    /// A server that speaks only TLS, with a certificate for `localhost` from an authority of its own, and wants one of its clients, too.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is no `openssl`.
    #[must_use]
    pub fn start_with_tls() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        make_certificates(folder.path());
        Self::start_in(folder, "redis-server", &[], true)
    }

    /// Where it listens, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis{}://localhost:{}", if self.is_tls { "s" } else { "" }, self.port())
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of [`start_with_tls`](Self::start_with_tls): `ca.pem`, or `client.pem` and `client.key`.
    ///
    /// # Panics
    ///
    /// If it is not there.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder().join(name)).expect("a certificate")
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    /// Starts it (again), with what is in its folder. Returns when it has read that.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let other = std::env::var_os("PORTCULLIS_REDIS").map(PathBuf::from);
        let mut command = Command::new(other.or_else(|| find(self.program)).expect("the server is installed"));
        let port = self.port().to_string();
        let defaults = [("bind", "127.0.0.1"), ("appendonly", "yes"), ("appendfsync", "always"), ("save", "")];
        let ports = if self.is_tls { vec![("port", "0"), ("tls-port", &*port)] } else { vec![("port", &*port)] };
        let tls = [("tls-cert-file", "server.pem"), ("tls-key-file", "server.key"), ("tls-ca-cert-file", "ca.pem")];
        let options = defaults.into_iter().chain(ports).chain(tls.into_iter().filter(|_| self.is_tls));
        for (name, value) in options.chain(self.options.iter().map(|(name, value)| (&**name, &**value))) {
            command.arg(format!("--{name}")).args(value.split(' '));
        }
        command.current_dir(self.folder());
        self.running = Some(Running::start(command, self.port(), self.folder()));
        // It listens before it has read its data.
        while self.cli(&["PING"]).contains("LOADING") {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.options.push((name.to_owned(), value.to_owned()));
    }

    /// Suspends it, like an overloaded machine. When this returns, it does not answer.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn suspend(&self) {
        self.running.as_ref().expect("it runs").stop();
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn resume(&self) {
        self.running.as_ref().expect("it runs").signal("CONT");
    }

    /// Runs a command there, and gives its answer: a line for each value.
    ///
    /// # Panics
    ///
    /// If there is no `redis-cli`.
    pub fn cli(&self, words: &[&str]) -> String {
        let mut command = self.cli_command();
        let output = command.args(words).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Runs many commands there, one a line.
    ///
    /// # Panics
    ///
    /// If there is no `redis-cli`.
    pub fn script(&self, lines: &str) {
        let file = self.folder().join("script");
        fs::write(&file, lines).expect("a file");
        let input = fs::File::open(&file).expect("a file");
        let status = self.cli_command().stdin(input).output().expect("redis-cli").status;
        assert!(status.success(), "redis-cli");
    }

    fn cli_command(&self) -> Command {
        let mut command = Command::new(find("redis-cli").expect("redis-cli is installed"));
        command.arg("-p").arg(self.port().to_string()).current_dir(self.folder());
        if self.is_tls {
            command.args(["--tls", "--cacert", "ca.pem", "--cert", "client.pem", "--key", "client.key"]);
        }
        command
    }

    /// Kills it and copies its data, for [`restore`](Self::restore); then it goes on.
    ///
    /// # Panics
    ///
    /// If they cannot be copied.
    #[must_use]
    pub fn backup(&mut self) -> TempDir {
        self.kill();
        let copy = tempfile::tempdir().expect("a folder");
        copy_data(self.folder(), copy.path());
        self.restart();
        copy
    }

    /// Kills it, and starts it with the data of a backup.
    ///
    /// # Panics
    ///
    /// If they cannot be copied.
    pub fn restore(&mut self, copy: &Path) {
        self.kill();
        for name in DATA {
            let _ = fs::remove_dir_all(self.folder().join(name)).or_else(|_| fs::remove_file(self.folder().join(name)));
        }
        copy_data(copy, self.folder());
        self.restart();
    }
}

/// What Redis keeps its data in.
const DATA: [&str; 3] = ["appendonlydir", "appendonly.aof", "dump.rdb"];

fn owned(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn copy_data(from: &Path, to: &Path) {
    for path in DATA.map(|name| from.join(name)) {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            fs::create_dir_all(&target).expect("a folder");
            for file in fs::read_dir(&path).expect("a folder").flatten() {
                fs::copy(file.path(), target.join(file.file_name())).expect("a copy");
            }
        } else if path.is_file() {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// An authority, and a certificate each for the server and its clients.
fn make_certificates(folder: &Path) {
    let openssl: PathBuf = find("openssl").expect("openssl is installed");
    let run = |words: &[&str]| {
        let output = Command::new(&openssl).args(words).current_dir(folder).output().expect("openssl");
        assert!(output.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    run(&[
        &["req", "-x509", "-subj", "/CN=test authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"],
        &key[..],
    ]
    .concat());
    for name in ["server", "client"] {
        let (key_file, request) = (format!("{name}.key"), format!("{name}.csr"));
        run(&[&["req", "-subj", "/CN=localhost", "-keyout", &key_file, "-out", &request], &key[..]].concat());
        fs::write(folder.join("extensions"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
            .expect("a file");
        let signed =
            ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
        run(&[&signed[..], &["-extfile", "extensions", "-out", &format!("{name}.pem")]].concat());
    }
}
