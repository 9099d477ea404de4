//! Libraries of Python that verify our tokens, in an environment of their own under `target/`.

use std::{fs, path::Path};

use crate::{command::Run, tools};

const REQUIREMENTS: &str = "tests/interop/requirements.txt";

/// What has no wheel.
const WITHOUT_WHEEL: &str = "tests/interop/nkeys.txt";

const ENVIRONMENT: &str = "target/interop-python";

/// Installs the pinned versions, if they are not there.
pub(crate) fn install(root: &Path) -> Result<(), String> {
    let read = |file: &str| fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"));
    let wanted = [read(REQUIREMENTS)?, read(WITHOUT_WHEEL)?].concat();
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
    pip("--only-binary :all:", REQUIREMENTS)?;
    // The script of a package runs here, with the `setuptools` that has just been installed: pip would download any version for it.
    pip("--no-deps --no-binary :all: --no-build-isolation", WITHOUT_WHEEL)?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}

fn pip(options: &str, requirements: &str) -> Result<(), String> {
    let pip = Run::new(&format!("{ENVIRONMENT}/bin/python")).words("-m pip install");
    let pip = pip.words("--require-hashes --quiet --disable-pip-version-check").words(options);
    pip.arg("--requirement").arg(requirements).run()
}
