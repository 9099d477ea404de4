//! Libraries of other languages, as processes of this test. `tests/interop` has their programs.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use real_servers::skip;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/interop-python/bin/python");

pub(crate) const PYJWT: Library = Library {
    name: "PyJWT",
    program: PYTHON,
    arguments: &["verify.py", "pyjwt"],
    needs: PYTHON,
    bad_signature: "InvalidSignatureError",
};
pub(crate) const JOSERFC: Library = Library {
    name: "joserfc",
    program: PYTHON,
    arguments: &["verify.py", "joserfc"],
    needs: PYTHON,
    bad_signature: "BadSignatureError",
};
pub(crate) const JOSE: Library = Library {
    name: "jose",
    program: "node",
    arguments: &["verify.mjs"],
    needs: concat!(env!("CARGO_MANIFEST_DIR"), "/interop/node_modules/jose"),
    bad_signature: "JWSSignatureVerificationFailed",
};

/// Mints and reads tokens of NATS.
pub(crate) const NATS_JWT: Library = Library {
    name: "@nats-io/jwt",
    program: "node",
    arguments: &["nats.mjs"],
    needs: concat!(env!("CARGO_MANIFEST_DIR"), "/interop/node_modules/@nats-io/jwt"),
    bad_signature: "the signature is wrong",
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Library {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// A file or folder that is there if it is installed.
    needs: &'static str,
    /// The error that says that the signature is wrong, and nothing else.
    pub(crate) bad_signature: &'static str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    #[serde(rename = "claims")]
    Accepted(Value),
    Refused(String),
}

impl Library {
    /// Asks the library whether tokens are good; `None` if it is not installed, and then the running test is left out.
    pub(crate) async fn verify(self, questions: Vec<Value>) -> Option<Vec<Verdict>> {
        self.ask(questions).await
    }

    /// Asks the library anything; `None` if it is not installed, and then the running test is left out.
    pub(crate) async fn ask<T: DeserializeOwned + Send + 'static>(self, questions: Vec<Value>) -> Option<Vec<T>> {
        if !Path::new(self.needs).exists() {
            let why = format!("{} is not there (`cargo xtask test servers` installs it)", self.needs);
            skip(self.name, &why);
            return None;
        }
        // The library asks this test for the key set meanwhile.
        Some(tokio::task::spawn_blocking(move || self.run(&questions)).await.unwrap())
    }

    fn run<T: DeserializeOwned>(self, questions: &[Value]) -> Vec<T> {
        let mut command = Command::new(self.program);
        command.args(self.arguments).current_dir(FOLDER).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program));
        let mut lines = process.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // Beside reading, so that no pipe fills up.
            scope.spawn(move || questions.iter().for_each(|question| writeln!(lines, "{question}").unwrap()));
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{} ended with {}", self.name, output.status);
            let answers = String::from_utf8(output.stdout).unwrap();
            answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        })
    }
}
