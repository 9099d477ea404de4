//! Programs that the steps need: found, installed, or said to be missing.

use std::{fs, path::PathBuf, thread, time::Duration};

use crate::command::Run;

/// A program, and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    name: &'static str,
    package: &'static str,
}

pub(crate) const CURL: Program = Program { name: "curl", package: "curl" };
pub(crate) const NODE: Program = Program { name: "node", package: "nodejs" };
pub(crate) const REDIS: Program = Program { name: "redis-server", package: "redis-server" };
pub(crate) const NATS: Program = Program { name: "nats-server", package: "nats-server" };
pub(crate) const POSTGRES: Program = Program { name: "initdb", package: "postgresql" };
pub(crate) const PGBOUNCER: Program = Program { name: "pgbouncer", package: "pgbouncer" };
pub(crate) const VALKEY: Program = Program { name: "valkey-server", package: "valkey-server" };
pub(crate) const GO: Program = Program { name: "go", package: "golang-go" };
pub(crate) const NGINX: Program = Program { name: "nginx", package: "nginx" };
pub(crate) const OPENSSL: Program = Program { name: "openssl", package: "openssl" };
pub(crate) const PIP: Program = Program { name: "pip3", package: "python3-pip" };
pub(crate) const PYTHON: Program = Program { name: "python3", package: "python3" };
pub(crate) const CHROMIUM: Program = Program { name: "chromium", package: "chromium" };
pub(crate) const CHROMEDRIVER: Program = Program { name: "chromedriver", package: "chromium-driver" };
pub(crate) const NPM: Program = Program { name: "npm", package: "npm" };

/// How long another program may keep the package manager's locks: a fresh machine updates itself for minutes.
const LOCK_TIMEOUT_SECS: u64 = 600;
const RETRY: Duration = Duration::from_secs(10);

/// Makes sure that all of `programs` can be run; what is missing is installed.
///
/// # Errors
/// What is missing and how to get it, when it is not there and cannot be installed.
pub(crate) fn require(programs: &[Program]) -> Result<(), String> {
    let missing = provide(programs);
    if missing.is_empty() { Ok(()) } else { Err(complaint(&missing)) }
}

/// Installs those of `programs` that are missing, and returns those that still are.
pub(crate) fn provide(programs: &[Program]) -> Vec<Program> {
    let missing = || programs.iter().filter(|program| !is_there(program.name)).copied().collect::<Vec<_>>();
    let wanted = missing();
    if wanted.is_empty() || !(is_root() && answers("apt-get", "--version")) {
        return wanted;
    }
    update_index();
    install_each(&wanted, |command| command.run().map_err(|problem| println!("{problem}")).is_ok());
    missing()
}

/// Installs a package of Debian that brings no program, and belongs to this one.
pub(crate) fn install_library(program: Program, package: &'static str) {
    if is_root() && answers("apt-get", "--version") {
        update_index();
        // What then fails says so.
        install_each(&[Program { package, ..program }], |command| command.run().is_ok());
    }
}

/// Whether this machine's sources of packages have it: not every release of Debian has every server.
pub(crate) fn is_offered(program: Program) -> bool {
    Run::new("apt-cache").arg("show").arg(program.package).output().is_ok()
}

/// Brings the index of packages up to date. The old one may do where this fails, so that is no error.
///
/// The lock of the index is another one, for which apt does not wait by itself.
fn update_index() {
    let update = apt("update -qq");
    println!("$ {update}");
    for _ in 0..LOCK_TIMEOUT_SECS / RETRY.as_secs() {
        match update.output() {
            Err(problem) if problem.contains("Could not get lock") => thread::sleep(RETRY),
            Err(problem) => return println!("{problem}"),
            Ok(_) => return,
        }
    }
}

/// Installs all by one call, and if that fails one by one, so that one that cannot be had does not keep the others away.
fn install_each(wanted: &[Program], mut succeeds: impl FnMut(&Run) -> bool) {
    if !succeeds(&install(wanted)) && wanted.len() > 1 {
        for program in wanted {
            succeeds(&install(&[*program]));
        }
    }
}

fn install(missing: &[Program]) -> Run {
    let packages = missing.iter().map(|program| program.package);
    packages.fold(apt("install -y -qq --no-install-recommends"), Run::arg).env("DEBIAN_FRONTEND", "noninteractive")
}

fn apt(line: &str) -> Run {
    Run::new("apt-get").arg("-o").arg(format!("DPkg::Lock::Timeout={LOCK_TIMEOUT_SECS}")).words(line)
}

/// What is missing, and how to get it.
pub(crate) fn complaint(missing: &[Program]) -> String {
    let names: Vec<_> = missing.iter().map(|program| format!("`{}`", program.name)).collect();
    let packages: Vec<_> = missing.iter().map(|program| program.package).collect();
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let (names, packages) = (names.join(" and "), packages.join(" "));
    format!("{names} {verb} missing: install what is missing (Debian: apt-get install {packages}) and run again")
}

/// Whether `cargo NAME` is installed.
pub(crate) fn has_cargo(name: &str) -> bool {
    Run::cargo(name).arg("--version").output().is_ok()
}

/// Whether rustup holds a nightly toolchain.
pub(crate) fn has_nightly() -> bool {
    has_toolchain("nightly")
}

/// Whether rustup holds a toolchain of that name or version.
pub(crate) fn has_toolchain(name: &str) -> bool {
    let toolchains = Run::new("rustup").words("toolchain list").output().unwrap_or_default();
    // `1.88` is also called `1.88.0-x86_64-…`
    let rest =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', '.', ' ']) || rest.is_empty());
    toolchains.lines().any(rest)
}

/// Servers are installed outside the `PATH`.
fn is_there(program: &str) -> bool {
    let of_postgres = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = of_postgres.map(|version| version.path().join("bin")).chain([PathBuf::from("/usr/sbin")]);
    answers(program, "--version")
        || answers(program, "version")
        || folders.into_iter().any(|folder| folder.join(program).is_file())
}

fn answers(program: &str, arg: &str) -> bool {
    Run::new(program).arg(arg).output().is_ok()
}

fn is_root() -> bool {
    Run::new("id").arg("-u").output().is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packages of each call, where one package cannot be had.
    fn calls(wanted: &[Program], unavailable: &str) -> Vec<String> {
        let mut calls = Vec::new();
        install_each(wanted, |command| {
            let line = command.to_string();
            assert!(line.contains("apt-get -o DPkg::Lock::Timeout=600 "), "waits for the lock: {line}");
            let packages = line.split_once("--no-install-recommends ").map(|(_, packages)| packages.to_owned());
            calls.extend(packages);
            !line.contains(unavailable)
        });
        calls
    }

    #[test]
    fn packages_are_installed_by_one_call() {
        assert_eq!(calls(&[NODE, NPM], "no such package"), ["nodejs npm"]);
    }

    #[test]
    fn one_package_that_cannot_be_had_does_not_keep_the_others_away() {
        assert_eq!(
            calls(&[NODE, NATS, NPM], "nats-server"),
            ["nodejs nats-server npm", "nodejs", "nats-server", "npm"]
        );
        assert_eq!(calls(&[NATS], "nats-server"), ["nats-server"], "nothing else is left to try");
    }

    #[test]
    fn whoever_cannot_install_is_told_what_is_missing() {
        let both = complaint(&[NODE, NPM]);
        assert!(both.starts_with("`node` and `npm` are missing"), "{both}");
        assert!(both.contains("apt-get install nodejs npm"), "{both}");
        assert!(complaint(&[CURL]).starts_with("`curl` is missing"));
    }

    #[test]
    fn what_is_there_needs_no_installing() {
        let cargo = Program { name: "cargo", package: "no such package" };
        assert_eq!(require(&[cargo]), Ok(()));
    }
}
