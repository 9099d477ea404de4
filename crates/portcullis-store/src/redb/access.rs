//! Where the file is, and who may open it.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use portcullis_core::revocation::LogError;
use redb::{Builder, Database, backends::FileBackend};

use super::error::{cannot_open, explain};

/// Megabytes that are kept of the file; it is read once, from the beginning to the end.
const CACHE: usize = 8 * 1024 * 1024;

/// Opens the file, or makes it, for this process alone.
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

/// For its owner alone: it says who is revoked.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// So that a loss of power does not take the file itself away.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
