//! PostgreSQL.
#![expect(clippy::expect_used, reason = "a server that cannot be set up is a test that has failed")]

use std::{
    env, fs,
    io::{ErrorKind, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{ReservedPort, Running, find, wait_until_stopped};

/// A PostgreSQL server with a database `service` of the user `service`.
///
/// Its settings are those that it is delivered with, but for two that cost tests their time: `fsync` is off (only a loss of power could
/// tell; `kill -9` cannot), and passwords are checked by MD5 (by SCRAM, a client that is compiled without optimisation takes a fifth of a
/// second for each connection).
///
/// PostgreSQL refuses to run as root; then it runs as the user `postgres`, whom the package has made.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    port: ReservedPort,
    settings: Vec<String>,
    owner: Option<Owner>,
    running: Option<Running>,
}

/// Of every user here; passwords are part of what is tested.
const PASSWORD: &str = "s3cr3t-of-tests";

/// How long a server may take until it lets anybody in: it replays its log of writes first.
const START: Duration = Duration::from_secs(60);

/// How long its processes may take to be gone.
const KILL: Duration = Duration::from_secs(5);

/// In kilobytes: enough for the servers of many tests, 40 MB each.
const PLENTY: u64 = 2 * 1024 * 1024;

impl PostgresServer {
    /// Starts one. `is_missing("postgres")` says whether that is possible here.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with settings such as `fsync=on`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn with(settings: &[&str]) -> Self {
        Self::prepared(settings, |_, _| ())
    }

    /// Starts one that speaks TLS, and only TLS, and SCRAM, with a certificate for 127.0.0.1 and `localhost`; see
    /// [`root_certificate`](Self::root_certificate). Needs the program `openssl`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn with_tls() -> Self {
        Self::prepared(&["ssl=on"], |data, owner| {
            make_certificates(data);
            fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n").expect("pg_hba.conf");
            let sql =
                format!("SET password_encryption = 'scram-sha-256';\nALTER ROLE service PASSWORD '{PASSWORD}';\n");
            run_alone(data, owner, &sql);
        })
    }

    fn prepared(settings: &[&str], prepare: impl FnOnce(&Path, Option<Owner>)) -> Self {
        let folder = folder();
        let owner = Owner::needed_in(folder.path());
        copy(&template(owner), &folder.path().join("data"));
        prepare(&folder.path().join("data"), owner);
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder, port: ReservedPort::new(), settings, owner, running: None };
        server.give_to_owner();
        server.restart();
        server
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// As the owner of its database.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_by(self.port())
    }

    /// The same by another port, behind which a [`Proxy`](crate::Proxy) stands.
    #[must_use]
    pub fn url_by(port: u16) -> String {
        format!("postgres://service:{PASSWORD}@127.0.0.1:{port}/service")
    }

    /// Connects as a superuser, to the same database.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/service", self.port())
    }

    /// The password of all its users.
    #[must_use]
    pub fn password() -> &'static str {
        PASSWORD
    }

    /// The authority that signed its certificate, as PEM.
    ///
    /// # Panics
    ///
    /// If it was started without TLS.
    #[must_use]
    pub fn root_certificate(&self) -> Vec<u8> {
        fs::read(self.data().join("root.crt")).expect("started with TLS")
    }

    /// As `kill -9` on all of its processes does.
    pub fn kill(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let children = children(running.id());
        running.kill();
        // They would end by themselves when they notice, and until then no other server may use the folder.
        signal("KILL", &children);
        let killed = Instant::now();
        while children.iter().any(|&child| parent(child).is_some()) && killed.elapsed() < KILL {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Lets it end in good order.
    pub fn stop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.signal("INT");
        let _ = running.wait();
    }

    /// Starts it again; it is killed first if it runs.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = command("postgres", self.owner);
        command.arg("-D").arg(self.data()).args(["-p", &self.port().to_string()]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.running = Some(Running::start(command, self.port(), self.folder.path()));
        self.wait_until_ready();
    }

    /// Sends its main process a signal by name.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn signal(&self, name: &str) {
        self.running.as_ref().expect("it runs").signal(name);
    }

    /// Stops all of its processes where they are, so that connections stay open and, when this returns, it does not answer.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn freeze(&self) {
        let main = self.running.as_ref().expect("it runs");
        main.stop(); // and makes no more of them
        self.freeze_only(&children(main.id()));
    }

    /// Stops some of its processes where they are, such as the ones of some connections: when this returns, they do not answer.
    pub fn freeze_only(&self, processes: &[u32]) {
        signal("STOP", processes);
        processes.iter().copied().for_each(wait_until_stopped);
    }

    /// Lets them go on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn thaw(&self) {
        self.signal("CONT");
        signal("CONT", &children(self.running.as_ref().expect("it runs").id()));
    }

    /// Copies what it has on its disk, for [`restore`](Self::restore). It is stopped for that, and started again.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn save(&mut self) {
        self.stop();
        let saved = self.folder.path().join("saved");
        let _ = fs::remove_dir_all(&saved);
        copy(&self.data(), &saved);
        self.restart();
    }

    /// Takes it back to how it was when it was saved.
    ///
    /// # Panics
    ///
    /// If it was not saved, or does not start.
    pub fn restore(&mut self) {
        self.end();
        fs::remove_dir_all(self.data()).expect("a data folder");
        copy(&self.folder.path().join("saved"), &self.data());
        self.restart();
    }

    /// Starts it as a standby: it can be read, and not written. `SELECT pg_promote()` ends that.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn become_standby(&mut self) {
        self.stop();
        fs::write(self.data().join("standby.signal"), "").expect("a file");
        self.give_to_owner();
        self.restart();
    }

    /// Ends it at once, but not by `kill -9`: the memory that its processes share would stay behind, unless it is started again.
    fn end(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let mut processes = children(running.id());
        processes.push(running.id());
        signal("CONT", &processes);
        signal("QUIT", &[running.id()]);
        let _ = running.wait();
    }

    /// How many bytes its databases take on its disk, without its log of writes.
    ///
    /// # Panics
    ///
    /// If its folder cannot be read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        size(&self.data().join("base"))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn give_to_owner(&self) {
        if let Some(owner) = self.owner {
            owner.give(&self.data());
        }
    }

    /// It listens before it lets anybody in. Its file says when it does.
    fn wait_until_ready(&self) {
        let started = Instant::now();
        loop {
            let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|state| matches!(state.trim(), "ready" | "standby")) {
                return;
            }
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < START, "PostgreSQL does not get ready:\n{}", log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// In memory where there is plenty: a server has thousands of files, and tests start one each. `TMPDIR` says otherwise.
fn folder() -> TempDir {
    let free = Command::new("df").args(["--output=avail", "/dev/shm"]).output().ok();
    let free = free.and_then(|output| String::from_utf8(output.stdout).ok()?.lines().nth(1)?.trim().parse().ok());
    let is_plenty = free.is_some_and(|kilobytes: u64| kilobytes > PLENTY);
    let in_memory = is_plenty && env::var_os("TMPDIR").is_none();
    let folder = if in_memory { TempDir::new_in("/dev/shm") } else { TempDir::new() };
    folder.expect("a folder")
}

/// A file may go while it is looked at, as those of a checkpoint do.
fn size(path: &Path) -> u64 {
    match path.read_dir() {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => path.metadata().map_or(0, |file| file.len()),
    }
}

/// As whom PostgreSQL runs if we are root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Gives it the folder, which is one of ours.
    pub(crate) fn needed_in(folder: &Path) -> Option<Self> {
        if folder.metadata().expect("a folder").uid() != 0 {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("users");
        let mut fields = users.lines().find(|line| line.starts_with("postgres:")).expect("a user postgres").split(':');
        let mut number = |at| fields.nth(at).and_then(|field| field.parse().ok()).expect("a number");
        let owner = Self { user: number(2), group: number(0) };
        owner.give(folder);
        Some(owner)
    }

    fn give(self, to: &Path) {
        chown(to, Some(self.user), Some(self.group)).expect("root gives away what it likes");
        if to.is_dir() {
            to.read_dir().expect("a folder").flatten().for_each(|entry| self.give(&entry.path()));
        }
    }
}

pub(crate) fn command(program: &str, owner: Option<Owner>) -> Command {
    // Where it really is: it looks for its parts beside it.
    let program = find(program).and_then(|path| path.canonicalize().ok()).unwrap_or_else(|| program.into());
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(owner) = owner {
        command.uid(owner.user).gid(owner.group);
    }
    command
}

/// An unused data folder, created once for all tests of a build: creating one takes longer than most tests.
fn template(owner: Option<Owner>) -> PathBuf {
    let program = env::current_exe().expect("a test");
    let build = program.parent().and_then(Path::parent).expect("it is in a folder of the build");
    let place = build.join(format!("postgres-{}-template", version()));
    if !place.exists() {
        let folder = TempDir::new().expect("a folder");
        if let Some(owner) = owner {
            owner.give(folder.path());
        }
        make_template(&folder.path().join("data"), owner);
        // Other processes may do the same at the same time: the first one wins, and none sees an incomplete folder.
        let beside = TempDir::new_in(build).expect("a folder");
        copy(&folder.path().join("data"), &beside.path().join("data"));
        if let Err(error) = fs::rename(beside.path().join("data"), &place) {
            assert!(matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists), "{error}");
        }
    }
    place
}

fn version() -> String {
    let output = command("postgres", None).arg("--version").output().expect("PostgreSQL is installed");
    // As in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    String::from_utf8_lossy(&output.stdout).split_whitespace().nth(2).expect("a version").to_owned()
}

fn make_template(data: &Path, owner: Option<Owner>) {
    let password = data.with_file_name("password");
    fs::write(&password, PASSWORD).expect("a file");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).expect("a file");
    let made = command("initdb", owner)
        .arg("-D")
        .arg(data)
        .arg("--pwfile")
        .arg(&password)
        .args(["-U", "postgres", "-A", "md5", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"])
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let settings = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_wal_size = '64MB'\nfsync = off\n";
    let file = fs::File::options().append(true).open(data.join("postgresql.conf"));
    file.and_then(|mut file| file.write_all(settings.as_bytes())).expect("settings");
    let statements =
        format!("CREATE ROLE service LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE service OWNER service;\n");
    run_alone(data, owner, &statements);
}

/// Runs statements, one a line, on a server that does not run.
fn run_alone(data: &Path, owner: Option<Owner>, statements: &str) {
    let mut single = command("postgres", owner)
        .args(["--single", "-D"])
        .arg(data)
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("PostgreSQL runs");
    single.stdin.take().expect("a pipe").write_all(statements.as_bytes()).expect("it reads");
    assert!(single.wait().expect("it ends").success(), "the statements cannot be run");
}

/// A certificate of a root of its own.
fn make_certificates(folder: &Path) {
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let root = ["req", "-x509", "-keyout", "root.key", "-out", "root.crt", "-subj", "/CN=root of tests"];
    let server = ["req", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost", "-new"];
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial"];
    fs::write(folder.join("names"), names).expect("a file");
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(folder).args(arguments).output().expect("openssl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    openssl(&[&root[..], &key].concat());
    openssl(&[&server[..], &key[..5]].concat());
    openssl(&[&sign[..], &["-out", "server.crt", "-days", "2", "-extfile", "names"]].concat());
    fs::set_permissions(folder.join("server.key"), fs::Permissions::from_mode(0o600)).expect("a key");
}

/// Some of them may be gone already.
fn signal(name: &str, processes: &[u32]) {
    let ids = processes.iter().map(ToString::to_string);
    let _ = Command::new("kill").arg(format!("-{name}")).args(ids).stderr(Stdio::null()).status();
}

/// Copies a folder, owners included.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.is_ok_and(|status| status.success()), "{} cannot be copied", from.display());
}

/// The processes that this one has started. Without `/proc`, none are found: they end by themselves, only later.
fn children(of: u32) -> Vec<u32> {
    let processes = Path::new("/proc").read_dir().into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter(|&id| parent(id) == Some(of)).collect()
}

/// The parent of a process that is there and not just about to be gone.
fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name is in parentheses and may have anything in it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.next()?.parse().ok()
}
