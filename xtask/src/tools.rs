//! Programs that the steps need: found, installed, or said to be missing.

use crate::command::Run;

/// Makes sure that `program` (of the Debian package of the same name) can be run.
///
/// # Errors
/// What is missing and how to get it, when it is not there and cannot be installed.
pub(crate) fn require(program: &str) -> Result<(), String> {
    if answers(program, "--version") {
        return Ok(());
    }
    if !(is_root() && answers("apt-get", "--version")) {
        return Err(format!("`{program}` is missing: install it (Debian: apt-get install {program}) and run again"));
    }
    Run::new("apt-get").words("update -qq").run()?;
    let install = Run::new("apt-get").words("install -y -qq --no-install-recommends").arg(program);
    install.env("DEBIAN_FRONTEND", "noninteractive").run()
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

fn answers(program: &str, arg: &str) -> bool {
    Run::new(program).arg(arg).output().is_ok()
}

fn is_root() -> bool {
    Run::new("id").arg("-u").output().is_ok_and(|id| id.trim() == "0")
}
