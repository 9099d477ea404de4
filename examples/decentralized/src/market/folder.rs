//! Files: seeds that only their owner may read, and tokens.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use portcullis_nats::nkey::KeyPair;

use crate::Failure;

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

pub(super) fn read_key(path: &Path) -> Result<KeyPair, Failure> {
    KeyPair::from_seed(&read(path)?).map_err(|error| format!("cannot use {}: {error}", path.display()).into())
}

/// Writes a seed, in place of an earlier one.
pub(super) fn write_key(path: &Path, key: &KeyPair) -> Result<(), Failure> {
    write_secret(path, key.seed().reveal())
}

/// Waits until no other process changes what is in this folder. Ends with the value.
pub(super) fn lock(folder: &Path) -> Result<fs::File, Failure> {
    let path = folder.join("lock");
    let locked = fs::File::create(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock {}: {error}", path.display()).into())
}

/// Writes a file that only its owner may read, in place of an earlier one.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o600)
}

/// Writes a file that everybody may read, in place of an earlier one.
pub(super) fn write_public(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o644)
}

/// Writes another file, and renames it: a reader gets the old content or the new one.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(temporary);
    let written = file.and_then(|mut file| {
        // The mode counts for a new file only, and one may have been left here.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written
        .map_err(Failure::from)
        .and_then(|()| rename(temporary, path))
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// Gives a file another name, which outlives a loss of power.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to)?;
    Ok(to.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())?)
}
