//! Programs that the steps need: found, installed, or said to be missing.

use std::{fs, path::PathBuf};

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
pub(crate) const OPENSSL: Program = Program { name: "openssl", package: "openssl" };
pub(crate) const NPM: Program = Program { name: "npm", package: "npm" };

/// Makes sure that all of `programs` can be run; what is missing is installed by one call.
///
/// # Errors
/// What is missing and how to get it, when it is not there and cannot be installed.
pub(crate) fn require(programs: &[Program]) -> Result<(), String> {
    let missing: Vec<_> = programs.iter().filter(|program| !is_there(program.name)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !(is_root() && answers("apt-get", "--version")) {
        return Err(complaint(&missing));
    }
    Run::new("apt-get").words("update -qq").run()?;
    install(&missing).run()
}

fn install(missing: &[Program]) -> Run {
    let packages = missing.iter().map(|program| program.package);
    let install = Run::new("apt-get").words("install -y -qq --no-install-recommends");
    packages.fold(install, Run::arg).env("DEBIAN_FRONTEND", "noninteractive")
}

fn complaint(missing: &[Program]) -> String {
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
    let toolchains = Run::new("rustup").words("toolchain list").output().unwrap_or_default();
    toolchains.lines().any(|line| line.starts_with("nightly"))
}

/// Servers are where nobody looks for commands: outside the `PATH`.
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

    #[test]
    fn packages_are_installed_by_one_call() {
        let command = install(&[NODE, NPM]).to_string();
        assert!(command.ends_with("apt-get install -y -qq --no-install-recommends nodejs npm"), "{command}");
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
