//! nats-py, the client of NATS for Python.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use portcullis_nats::{creds::Creds, files::Existing};
use tempfile::TempDir;

const INTEROP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/interop-python");

/// A client that runs until it is dropped. The steps that it can do are described in `tests/interop/nats_client.py`.
pub(crate) struct NatsPy {
    child: Child,
    steps: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

impl NatsPy {
    /// Whether it is not installed; if so, the running test is left out.
    pub(crate) fn is_missing() -> bool {
        let installed = fs::read_to_string(Path::new(PYTHON).join("installed.txt"));
        // Installed after nats-py, which signs nonces with it.
        let missing = !installed.is_ok_and(|installed| installed.contains("nkeys=="));
        if missing {
            real_servers::skip("nats-py", "it is not installed (`cargo xtask test servers` installs it)");
        }
        missing
    }

    /// Connects with these credentials, in a file that the library reads by itself. Returns why it could not.
    pub(crate) fn connect(port: u16, creds: &Creds) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("user.creds");
        creds.write_file(&file, Existing::Keep).unwrap();
        let mut command = Command::new(format!("{PYTHON}/bin/python"));
        command.arg("nats_client.py").arg(port.to_string()).arg(file).current_dir(INTEROP);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (steps, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut client = Self { child, steps, answers: BufReader::new(answers).lines(), _folder: folder };
        let answer = client.answer();
        if answer == "ok" { Ok(client) } else { Err(answer) }
    }

    /// Does a step. Returns the answer.
    pub(crate) fn step(&mut self, step: &str) -> String {
        writeln!(self.steps, "{step}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        self.answers.next().unwrap().unwrap()
    }
}

impl Drop for NatsPy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
