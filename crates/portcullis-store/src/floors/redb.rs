//! [`RedbFloors`]: floors in a file of redb.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use portcullis_core::{
    UnixTime,
    floors::{DEFAULT_LIMIT, FloorError, FloorStore, check_name},
    revocation::{LogError, LogErrorKind},
};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::work::work;
use crate::redb::{
    access,
    error::{Purpose, failed},
};

/// Floors in a file, for a service that runs on one machine and uses [redb](https://docs.rs/redb) anyway. Clones share the file. `FileFloors`
/// does the same with a file of text.
///
/// # The rules
///
/// - The file is created at the first use, and only its owner can read it (mode 0600).
/// - A floor that was raised is on the disk (`fsync`). `kill -9` and a power failure lose nothing that was acknowledged.
/// - Only one process at a time can use it. A second one is refused.
/// - It must not be on a network file system, because locks and `fsync` are less reliable there.
/// - Without the file, old documents are accepted again. Do not delete it to solve a problem.
#[derive(Clone)]
pub struct RedbFloors(Arc<Mutex<Work>>, PathBuf);

struct Work {
    path: PathBuf,
    /// `None` after a failure: redb then needs the file to be opened again.
    file: Option<Database>,
    limit: usize,
}

const PURPOSE: Purpose = Purpose {
    name: "file of floors",
    without: "documents that are older than those seen before are then accepted again",
    instead: "a file for each",
};

/// Floors by name, in seconds since 1970.
const FLOORS: TableDefinition<'_, &str, u64> = TableDefinition::new("floors");

/// Little: the floors are read once.
const CACHE: usize = 4 * 1024 * 1024;

impl RedbFloors {
    /// Opens or creates the store in that file, for [`DEFAULT_LIMIT`] names. Its folder must exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it is not such a file, or it may not be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FloorError> {
        Self::open_with_limit(path, DEFAULT_LIMIT)
    }

    /// Opens or creates the store in that file, for this many names.
    ///
    /// # Errors
    ///
    /// Like [`open`](Self::open).
    pub fn open_with_limit(path: impl AsRef<Path>, names: usize) -> Result<Self, FloorError> {
        let path = path.as_ref();
        let work = Work { path: path.into(), file: Some(open(path).map_err(floor_error)?), limit: names };
        Ok(Self(Arc::new(Mutex::new(work)), path.into()))
    }
}

impl FloorStore for RedbFloors {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        work(&self.0, |work| work.with_file(load)).await
    }

    async fn raise(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        check_name(name)?;
        let name = name.to_owned();
        work(&self.0, move |work| {
            let limit = work.limit;
            work.with_file(|file| raise(file, &name, time, limit))?.ok_or_else(|| FloorError::full(limit))
        })
        .await
    }

    async fn reset(&self, name: &str) -> Result<Option<UnixTime>, FloorError> {
        let name = name.to_owned();
        work(&self.0, move |work| work.with_file(|file| reset(file, &name))).await
    }
}

impl Work {
    fn with_file<T>(&mut self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, FloorError> {
        let file = self.file.take().map_or_else(|| open(&self.path), Ok).map_err(floor_error)?;
        let done = work(&file).map_err(|error| floor_error(failed(PURPOSE, error)))?;
        self.file = Some(file);
        Ok(done)
    }
}

fn open(path: &Path) -> Result<Database, LogError> {
    let file = access::open(path, PURPOSE, CACHE)?;
    let create = || -> Result<(), redb::Error> {
        let transaction = file.begin_write()?;
        transaction.open_table(FLOORS)?;
        Ok(transaction.commit()?)
    };
    create().map_err(|error| failed(PURPOSE, error))?;
    Ok(file)
}

fn load(file: &Database) -> Result<HashMap<String, UnixTime>, redb::Error> {
    let floors = file.begin_read()?.open_table(FLOORS)?;
    let mut all = HashMap::new();
    for row in floors.iter()? {
        let (name, secs) = row?;
        all.insert(name.value().to_owned(), UnixTime::from_secs(secs.value()));
    }
    Ok(all)
}

/// Returns the floor afterwards, once it is on the disk; `None` if there is no room for another name.
fn raise(file: &Database, name: &str, time: UnixTime, limit: usize) -> Result<Option<UnixTime>, redb::Error> {
    let transaction = file.begin_write()?; // durable with its commit, by default
    {
        let mut floors = transaction.open_table(FLOORS)?;
        let known = floors.get(name)?.map(|secs| UnixTime::from_secs(secs.value()));
        if let Some(floor) = known.filter(|floor| *floor >= time) {
            return Ok(Some(floor));
        }
        if known.is_none() && floors.len()? >= limit as u64 {
            return Ok(None);
        }
        floors.insert(name, time.as_secs())?;
    }
    transaction.commit()?;
    Ok(Some(time))
}

fn reset(file: &Database, name: &str) -> Result<Option<UnixTime>, redb::Error> {
    let transaction = file.begin_write()?;
    let known = transaction.open_table(FLOORS)?.remove(name)?.map(|secs| UnixTime::from_secs(secs.value()));
    transaction.commit()?;
    Ok(known)
}

fn floor_error(error: LogError) -> FloorError {
    match error.kind() {
        LogErrorKind::Corrupt => FloorError::corrupt(error.to_string()).with_source(error),
        _ => FloorError::unavailable(error.to_string()).with_source(error),
    }
}

/// Shows where the file is.
impl fmt::Debug for RedbFloors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbFloors").field("path", &self.1).finish_non_exhaustive()
    }
}
