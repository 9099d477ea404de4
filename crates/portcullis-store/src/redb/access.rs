//! Opens the file.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use portcullis_core::revocation::LogError;
use redb::{Builder, Database, backends::FileBackend};

use super::error::{Purpose, cannot_open, explain};

/// Opens or creates the file, exclusively for this process. `cache` is how many bytes of it are kept in memory.
pub(crate) fn open(path: &Path, purpose: Purpose, cache: usize) -> Result<Database, LogError> {
    let is_new = !path.exists();
    let file = open_file(path).map_err(|error| cannot_open(purpose, path, error))?;
    let backend = FileBackend::new(file).map_err(|error| explain(purpose, path, error))?;
    let builder = &mut Builder::new();
    let database = builder.set_cache_size(cache).create_with_backend(backend);
    let database = database.map_err(|error| explain(purpose, path, error))?;
    if is_new {
        sync_folder(path).map_err(|error| cannot_open(purpose, path, error))?;
    }
    Ok(database)
}

/// Only for its owner: the file says who is revoked, or logged in.
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
