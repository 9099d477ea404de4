//! Files: seeds that only their owner may read, and tokens.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use portcullis_nats::nkey::KeyPair;

use crate::Failure;

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

pub(super) fn read_key(path: &Path) -> Result<KeyPair, Failure> {
    Ok(KeyPair::from_seed(&read(path)?)?)
}

/// Writes a seed, in place of an earlier one.
pub(super) fn write_key(path: &Path, key: &KeyPair) -> Result<(), Failure> {
    replace(path, key.seed().reveal())
}

/// Waits until no other process changes what is in this folder. Ends with the value.
pub(super) fn lock(folder: &Path) -> Result<fs::File, Failure> {
    let path = folder.join("lock");
    let locked = fs::File::create(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock {}: {error}", path.display()).into())
}

/// Writes a file that only its owner may read, and renames it: a reader gets the old content or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let temporary = path.with_extension("new");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}
