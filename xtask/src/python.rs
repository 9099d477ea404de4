//! Libraries of Python that verify our tokens, in an environment of their own under `target/`.

use std::{fs, path::Path};

use crate::{command::Run, tools};

const REQUIREMENTS: &str = "tests/interop/requirements.txt";
const ENVIRONMENT: &str = "target/interop-python";

/// Installs the pinned versions, if they are not there.
pub(crate) fn install(root: &Path) -> Result<(), String> {
    let wanted = fs::read_to_string(root.join(REQUIREMENTS)).map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    // Written last, so that it is not there after an installation that was broken off.
    let installed = root.join(ENVIRONMENT).join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    let environment = Run::new("python3").words("-m venv --clear").arg(ENVIRONMENT);
    if environment.run().is_err() {
        tools::install_library(tools::PYTHON, "python3-venv");
        environment.run()?;
    }
    // Only what has one of the hashes, and no script of a package runs.
    let options = "--require-hashes --only-binary :all: --quiet --disable-pip-version-check";
    let pip = Run::new(&format!("{ENVIRONMENT}/bin/python")).words("-m pip install").words(options);
    pip.arg("--requirement").arg(REQUIREMENTS).run()?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}
