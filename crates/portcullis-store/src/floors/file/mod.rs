//! [`FileFloors`]: floors in a file of text.

mod journal;
mod line;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use portcullis_core::{
    UnixTime,
    floors::{DEFAULT_LIMIT, FloorError, FloorStore, check_name},
};

use self::{journal::Journal, line::Line};
use super::work::work;

/// Floors in a file of text, for a service that runs on one machine. Clones share the file. Unix only.
///
/// # The rules
///
/// - A floor that was raised is on the disk (`fsync`): a line of JSON at the end of the file. `kill -9` and a power failure lose nothing that was
///   acknowledged. A line that was broken off was not acknowledged, and is removed at the next start.
/// - When the file has grown to twice its content, after a failure, and at each start, it is rewritten under another name (`floors.new`), which
///   then replaces it. A crash leaves the old file or the new one.
/// - The file is created at the first use, and only its owner can read it (mode 0600).
/// - Only one process at a time can use it. A second one is refused, by a lock on `floors.lock`, which ends with its process.
/// - A file that cannot be read is an error, and is left as it is.
/// - Without the file, old documents are accepted again. Do not delete it to solve a problem.
/// - It must not be on a network file system, because locks and `fsync` are less reliable there.
///
/// # The file
///
/// ```text
/// {"form":1}
/// {"name":"AB2…","time":1795319823}
/// {"name":"AB2…","time":1795323423}
/// {"name":"AC7…","time":null}
/// ```
///
/// The last line for a name counts; `null` says that its floor was reset.
///
/// # Example
///
/// ```
/// use portcullis_core::{UnixTime, floors::FloorStore};
/// use portcullis_store::FileFloors;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("floors");
/// let floors = FileFloors::open(&path)?; // such as /var/lib/orders/floors
/// let (older, newer) = (UnixTime::from_secs(1_795_319_823), UnixTime::from_secs(1_795_323_423));
/// assert_eq!(floors.raise("AB2", newer).await?, newer);
/// assert_eq!(floors.raise("AB2", older).await?, newer);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileFloors(Arc<Mutex<State>>, PathBuf);

struct State {
    floors: HashMap<String, UnixTime>,
    journal: Journal,
    limit: usize,
}

impl FileFloors {
    /// Opens or creates the store in that file, for [`DEFAULT_LIMIT`] names. Its folder must exist.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: another process has it open, it may not be read or written, others may read it, or it has something else in it.
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
        let (journal, floors) = Journal::open(path)?;
        let state = State { floors, journal, limit: names };
        Ok(Self(Arc::new(Mutex::new(state)), path.into()))
    }
}

impl FloorStore for FileFloors {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        work(&self.0, |state| Ok(state.floors.clone())).await
    }

    async fn raise(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        check_name(name)?;
        let name = name.to_owned();
        work(&self.0, move |state| state.raise(name, time)).await
    }

    async fn reset(&self, name: &str) -> Result<Option<UnixTime>, FloorError> {
        let name = name.to_owned();
        work(&self.0, move |state| state.reset(name)).await
    }
}

impl State {
    fn raise(&mut self, name: String, time: UnixTime) -> Result<UnixTime, FloorError> {
        let known = self.floors.get(&name).copied();
        if let Some(floor) = known.filter(|floor| *floor >= time) {
            return Ok(floor);
        }
        if known.is_none() && self.floors.len() >= self.limit {
            return Err(FloorError::full(self.limit));
        }
        self.write(Line { name, time: Some(time) })?;
        Ok(time)
    }

    fn reset(&mut self, name: String) -> Result<Option<UnixTime>, FloorError> {
        let known = self.floors.get(&name).copied();
        if known.is_some() {
            self.write(Line { name, time: None })?;
        }
        Ok(known)
    }

    /// Changes a floor: first on the disk, then in memory.
    fn write(&mut self, line: Line) -> Result<(), FloorError> {
        self.journal.append(&line, &self.floors)?;
        line.apply(&mut self.floors);
        Ok(())
    }
}

/// Shows where the file is.
impl fmt::Debug for FileFloors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileFloors").field("path", &self.1).finish_non_exhaustive()
    }
}
