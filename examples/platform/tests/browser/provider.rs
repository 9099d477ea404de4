//! A real OpenID provider that is not ours: npm `oidc-provider`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use real_servers::skip;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oidc-provider");

/// It ends with this value.
pub(crate) struct Provider {
    process: Child,
    pub(crate) issuer: String,
}

impl Provider {
    /// Starts one on a free port; `None` if it is not installed, and then the running test is left out.
    pub(crate) fn start() -> Option<Self> {
        let mut node = Command::new("node");
        node.arg("server.mjs").current_dir(FOLDER).stdin(Stdio::piped()).stdout(Stdio::piped());
        let spawned = if Path::new(FOLDER).join("node_modules").is_dir() { node.spawn().ok() } else { None };
        let Some(mut process) = spawned else {
            skip(
                "OpenID provider",
                &format!("node, or its packages in {FOLDER} (`cargo xtask test servers` installs it)"),
            );
            return None;
        };
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).unwrap();
        Some(Self { process, issuer: facts["issuer"].as_str().unwrap().to_owned() })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
