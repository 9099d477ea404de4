//! Opens the file.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use portcullis_core::revocation::LogError;
use redb::{Builder, Database, backends::FileBackend};

use super::error::{Purpose, cannot_open, explain};

/// Opens or creates the file, exclusively for this process. `cache` is how many bytes of it are kept in memory.
pub(crate) fn open(path: &Path, purpose: Purpose, cache: usize) -> Result<Database, LogError> {
    let is_new = !path.exists();
    let made = if is_new { make(path, purpose, cache)? } else { None };
    let database = if let Some(database) = made {
        database
    } else {
        let file = open_file(path, OpenOptions::new().create(true));
        open_database(file, path, purpose, cache)?
    };
    if is_new {
        sync_folder(path).map_err(|error| cannot_open(purpose, path, error))?;
    }
    Ok(database)
}

/// Makes the file under another name, and gives it its own when it is whole: redb refuses for ever a file whose making was broken off, by `kill -9`
/// or a power failure. (The name of one that was broken off stays.)
///
/// Returns `None` if there is a file of its name by now, which another process has made, or if the file system knows no links.
fn make(path: &Path, purpose: Purpose, cache: usize) -> Result<Option<Database>, LogError> {
    let beside = beside(path);
    let file = open_file(&beside, OpenOptions::new().create_new(true));
    let database = open_database(file, path, purpose, cache);
    // Unlike a renaming, a link replaces no file of another process.
    let is_named = database.is_ok() && fs::hard_link(&beside, path).is_ok();
    // There is none if it could not be made.
    let _ = fs::remove_file(&beside);
    database.map(|database| is_named.then_some(database))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", fastrand::u64(..)));
    path.with_file_name(name)
}

/// Only for its owner: the file says who is revoked, or logged in.
fn open_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

fn open_database(file: io::Result<File>, path: &Path, purpose: Purpose, cache: usize) -> Result<Database, LogError> {
    let file = file.map_err(|error| cannot_open(purpose, path, error))?;
    let backend = FileBackend::new(file).map_err(|error| explain(purpose, path, error))?;
    let database = Builder::new().set_cache_size(cache).create_with_backend(backend);
    database.map_err(|error| explain(purpose, path, error))
}

/// Syncs the folder, so that a power failure does not lose the file itself.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
