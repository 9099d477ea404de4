//! Opens the file.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use portcullis_core::revocation::LogError;
use redb::{Builder, Database, backends::FileBackend};

use super::error::{cannot_open, explain};

/// The size of the cache. It is small because the file is read only once, from the beginning to the end.
const CACHE: usize = 8 * 1024 * 1024;

/// Opens or creates the file, exclusively for this process.
pub(super) fn open(path: &Path) -> Result<Database, LogError> {
    let is_new = !path.exists();
    let file = open_file(path).map_err(|error| cannot_open(path, error))?;
    let backend = FileBackend::new(file).map_err(|error| explain(path, error))?;
    let builder = &mut Builder::new();
    let database = builder.set_cache_size(CACHE).create_with_backend(backend).map_err(|error| explain(path, error))?;
    if is_new {
        sync_folder(path).map_err(|error| cannot_open(path, error))?;
    }
    Ok(database)
}

/// Only for its owner: the file says who is revoked.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Syncs the folder, so that a power failure does not lose the file itself.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
