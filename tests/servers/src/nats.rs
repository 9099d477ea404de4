//! NATS with `JetStream`.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    nats_program::NatsProgram,
    process::{ReservedPort, Running},
};

/// A NATS server that keeps its streams in files: of the program that is installed ([`NatsProgram::installed`]), or of [another
/// one](NatsProgram).
#[derive(Debug)]
pub struct NatsServer {
    program: NatsProgram,
    folder: TempDir,
    port: ReservedPort,
    running: Option<Running>,
}

impl NatsServer {
    /// A server that lets everybody in.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// A server with these lines in its configuration, beside the ones for its port and for `JetStream`. `{folder}` in them is replaced by the
    /// server's folder.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with(lines: &str) -> Self {
        NatsProgram::installed().start_with(lines)
    }

    /// A server without `JetStream`.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_without_jetstream() -> Self {
        NatsProgram::installed().start_without_jetstream()
    }

    /// A server that accepts only clients with the [`credentials`](Self::credentials).
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with_operator() -> Self {
        NatsProgram::installed().start_with_operator()
    }

    /// What a credentials file for [`start_with_operator`](Self::start_with_operator) has in it.
    #[must_use]
    pub fn credentials() -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{USER}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
        )
    }

    /// A server that speaks only TLS, with a certificate for `localhost` from an [authority](Self::authority) of its own.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is no `openssl`.
    #[must_use]
    pub fn start_with_tls() -> Self {
        NatsProgram::installed().start_with_tls()
    }

    /// The certificate of the authority, in PEM form.
    ///
    /// # Panics
    ///
    /// If the server has none.
    #[must_use]
    pub fn authority(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("ca.pem")).expect("an authority")
    }

    pub(crate) fn start_in(program: NatsProgram, folder: TempDir, lines: &str) -> Self {
        let port = ReservedPort::new();
        let path = folder.path().to_str().expect("a folder with a plain name");
        let config = format!("listen: 127.0.0.1:{}\n{}", port.number(), lines.replace("{folder}", path));
        fs::write(folder.path().join("nats.conf"), config).expect("a configuration");
        let mut server = Self { program, folder, port, running: None };
        server.restart();
        server
    }

    /// Where it listens, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its URL, without TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// The first two numbers of its version.
    ///
    /// # Panics
    ///
    /// If it does not tell.
    #[must_use]
    pub fn version(&self) -> [u32; 2] {
        self.program.version().expect("a version")
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    /// Starts it again, with the data that it had. If it runs, it is killed first.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(self.program.path());
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        self.running = Some(Running::start(command, self.port(), self.folder.path()));
    }

    /// Suspends it: when this returns, it does not answer, and connections stay open.
    pub fn pause(&self) {
        if let Some(running) = &self.running {
            running.stop();
        }
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        if let Some(running) = &self.running {
            running.signal("CONT");
        }
    }

    /// Where its data are, such as for a look at them while it is killed.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Copies its data as it is now, for [`roll_back`](Self::roll_back). Kills the server and starts it again.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn save(&mut self) {
        self.kill();
        copy(&self.folder.path().join("data"), &self.folder.path().join("saved"));
        self.restart();
    }

    /// Takes its data back to how they were at [`save`](Self::save). Kills the server and starts it again.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn roll_back(&mut self) {
        self.kill();
        let data = self.folder.path().join("data");
        fs::remove_dir_all(&data).expect("data");
        copy(&self.folder.path().join("saved"), &data);
        self.restart();
    }

    /// Loses all that it has. Kills the server and starts it again.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn lose_everything(&mut self) {
        self.kill();
        fs::remove_dir_all(self.folder.path().join("data")).expect("data");
        self.restart();
    }

    /// Sends a request, such as to `$JS.API.STREAM.PURGE.<stream>`, and gives what is answered. For servers that let everybody in.
    ///
    /// # Panics
    ///
    /// If nothing is answered.
    #[must_use]
    pub fn request(&self, subject: &str, payload: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        let size = payload.len();
        write!(stream, "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {size}\r\n{payload}\r\n")
            .expect("a connection");
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        loop {
            line.clear();
            assert!(reader.read_line(&mut line).expect("an answer") > 0, "the server hung up");
            if line.starts_with("MSG answer") {
                let size = line.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a size");
                let mut answer = vec![0; size];
                reader.read_exact(&mut answer).expect("an answer");
                return String::from_utf8(answer).expect("text");
            }
            assert!(!line.starts_with("-ERR"), "{line}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// An authority, and a certificate for `localhost` from it.
pub(crate) fn make_certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("a file");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-subj", "/CN=Test authority", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem"];
    let request = ["req", "-new", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
    let signed =
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30"];
    openssl(folder, &[&authority[..], &curve].concat());
    openssl(folder, &[&request[..], &curve].concat());
    openssl(folder, &[&signed[..], &["-extfile", "names", "-out", "server.pem"]].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(done.is_ok_and(|status| status.success()), "openssl {arguments:?}");
}

/// The lines of a configuration by which the server trusts the operator.
pub(crate) fn operator_lines() -> String {
    format!(
        "operator: {OPERATOR}\nresolver: MEMORY\nsystem_account: {SYSTEM_ID}\n\
         resolver_preload: {{ {ACCOUNT_ID}: {ACCOUNT}, {SYSTEM_ID}: {SYSTEM} }}\n"
    )
}

/// Throw-away keys, made for this file: an operator, an account with all of `JetStream`, an account for the system, and a user.
/// They do not expire.
const OPERATOR: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJURVNULU9QRVJBVE9SIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJ\
    PQVRNU1ZWSTVZTEgzUVpSSVNDSkNHUVEzQ1hQVVJYU0ZaV1MzM0EyVU8yRUdXNjY2QjYzQ0o0QyIsIm5hbWUiOiJ0ZXN0LW9wZXJhdG9yIiwic\
    3ViIjoiT0FUTVNWVkk1WUxIM1FaUklTQ0pDR1FRM0NYUFVSWFNGWldTMzNBMlVPMkVHVzY2NkI2M0NKNEMiLCJuYXRzIjp7InR5cGUiOiJvcGV\
    yYXRvciIsInZlcnNpb24iOjJ9fQ.fc5HPRs-SqhMBlZillj0V5jXXQ6BBRKOVfPi9Td_6kbrZu8tpKRo6QVo-kYUr2BF6oMD_pZOaWVx3liYke\
    5ZBg";
const ACCOUNT_ID: &str = "AD7MVHULDSZOFEEDJ7TLA4DANTFOCOK6XIVBSC5USKOEPWHBBXHXV2OB";
const ACCOUNT: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJURVNULUFDQ09VTlQiLCJpYXQiOjE3MDAwMDAwMDAsImlzcyI6Ik9\
    BVE1TVlZJNVlMSDNRWlJJU0NKQ0dRUTNDWFBVUlhTRlpXUzMzQTJVTzJFR1c2NjZCNjNDSjRDIiwibmFtZSI6InRlc3QtYWNjb3VudCIsInN1Y\
    iI6IkFEN01WSFVMRFNaT0ZFRURKN1RMQTREQU5URk9DT0s2WElWQlNDNVVTS09FUFdIQkJYSFhWMk9CIiwibmF0cyI6eyJsaW1pdHMiOnsic3V\
    icyI6LTEsImRhdGEiOi0xLCJwYXlsb2FkIjotMSwiaW1wb3J0cyI6LTEsImV4cG9ydHMiOi0xLCJ3aWxkY2FyZHMiOnRydWUsImNvbm4iOi0xL\
    CJsZWFmIjotMSwibWVtX3N0b3JhZ2UiOi0xLCJkaXNrX3N0b3JhZ2UiOi0xLCJzdHJlYW1zIjotMSwiY29uc3VtZXIiOi0xfSwiZGVmYXVsdF9\
    wZXJtaXNzaW9ucyI6eyJwdWIiOnt9LCJzdWIiOnt9fSwidHlwZSI6ImFjY291bnQiLCJ2ZXJzaW9uIjoyfX0.34MWMITKP80cpQ18CSdLmtQMr\
    J7Vij-1M7Ww7wNuHHZl5-7dbX4b4k1DuRVu1FuIzmrJQ8xxK3ztkunh4zWVDA";
const SYSTEM_ID: &str = "ADBGEG6OC2HJCPLIBL6VA3VSGJRFCTBCSDKKHUABC5354UXUU5SMPVKS";
const SYSTEM: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJURVNULVNZU1RFTSIsImlhdCI6MTcwMDAwMDAwMCwiaXNzIjoiT0F\
    UTVNWVkk1WUxIM1FaUklTQ0pDR1FRM0NYUFVSWFNGWldTMzNBMlVPMkVHVzY2NkI2M0NKNEMiLCJuYW1lIjoidGVzdC1zeXN0ZW0iLCJzdWIiO\
    iJBREJHRUc2T0MySEpDUExJQkw2VkEzVlNHSlJGQ1RCQ1NES0tIVUFCQzUzNTRVWFVVNVNNUFZLUyIsIm5hdHMiOnsibGltaXRzIjp7InN1YnM\
    iOi0xLCJkYXRhIjotMSwicGF5bG9hZCI6LTEsImltcG9ydHMiOi0xLCJleHBvcnRzIjotMSwid2lsZGNhcmRzIjp0cnVlLCJjb25uIjotMSwib\
    GVhZiI6LTF9LCJkZWZhdWx0X3Blcm1pc3Npb25zIjp7InB1YiI6e30sInN1YiI6e319LCJ0eXBlIjoiYWNjb3VudCIsInZlcnNpb24iOjJ9fQ.\
    rnlZxBpQSuc8LkGBsgAf_biJrxlUjlWUsfVy94TwHoyXnfOIVyP2MtCx4usc3XxbJSzFypUD_rqpmxgE5AcuBg";
const USER: &str = "\
    eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJURVNULVVTRVIiLCJpYXQiOjE3MDAwMDAwMDAsImlzcyI6IkFEN01\
    WSFVMRFNaT0ZFRURKN1RMQTREQU5URk9DT0s2WElWQlNDNVVTS09FUFdIQkJYSFhWMk9CIiwibmFtZSI6InRlc3QtdXNlciIsInN1YiI6IlVCN\
    TZKMlBDUkdPMjdFNTZMNEs0UUZESlJHSzJYUzdDUllGWDNHTE9GRVJYQllFQkw1REtDUDJaIiwibmF0cyI6eyJwdWIiOnt9LCJzdWIiOnt9LCJ\
    zdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJ0eXBlIjoidXNlciIsInZlcnNpb24iOjJ9fQ.5mvRkvItizmc7RaFeggA93bpimZXfN\
    kEMxoV8ONasYZ5fyhKn_XTA605jHy7a7cxJ_QasreBB4h0Z_qJHRs3Bw";
const SEED: &str = "SUAGGG7CAACKFUUK6WDD7OD5X44NPOZFBH7VDPVKK5OCHLFKGJC6N2HMMM";
