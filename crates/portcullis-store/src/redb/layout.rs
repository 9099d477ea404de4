//! The file: its tables, and what is done with them.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, Page, RevocationEntry},
};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    backends::FileBackend,
};

/// Entries by position: lines of JSON.
const ENTRIES: TableDefinition<'_, u64, &str> = TableDefinition::new("revocations");

/// When they can go, and which: until, position.
const EXPIRY: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("expiry");

/// `incarnation`, and the last `position`.
const LOG: TableDefinition<'_, &str, u128> = TableDefinition::new("log");

const PAGE: usize = 5000;

/// How many old entries go with each write: more than come, so that they do not pile up.
const FORGOTTEN_AT_ONCE: usize = 1000;

/// For how much longer than they have to entries stay: a clock that is set ahead for less than that loses none.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// Megabytes that are kept of the file; it is read once, from the beginning to the end.
const CACHE: usize = 8 * 1024 * 1024;

/// An open file with the tables in it.
#[derive(Debug)]
pub(super) struct LogFile {
    database: Database,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let is_new = !path.exists();
        let file = open(path).map_err(|error| cannot_open(path, error))?;
        let backend = FileBackend::new(file).map_err(|error| explain(path, error))?;
        let builder = &mut Builder::new();
        let database =
            builder.set_cache_size(CACHE).create_with_backend(backend).map_err(|error| explain(path, error))?;
        if is_new {
            sync_folder(path).map_err(|error| cannot_open(path, error))?;
        }
        let file = Self { database };
        file.make_tables().map_err(failed)?;
        Ok(file)
    }

    fn make_tables(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            transaction.open_table(ENTRIES)?;
            transaction.open_table(EXPIRY)?;
            let mut log = transaction.open_table(LOG)?;
            if log.get("incarnation")?.is_none() {
                log.insert("incarnation", fastrand::u128(..))?;
                log.insert("position", 0)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// All of them or none. On the disk when it returns. Gives the position of the last one.
    pub(super) fn append<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e RevocationEntry>,
        now: UnixTime,
    ) -> Result<u64, LogError> {
        self.try_append(entries, now).map_err(failed)
    }

    fn try_append<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e RevocationEntry>,
        now: UnixTime,
    ) -> Result<u64, redb::Error> {
        let transaction = self.database.begin_write()?; // durable with its commit, by default
        let position;
        {
            let mut table = transaction.open_table(ENTRIES)?;
            let mut expiry = transaction.open_table(EXPIRY)?;
            let mut log = transaction.open_table(LOG)?;
            let mut last = last_position(&log)?;
            for entry in entries {
                last += 1;
                table.insert(last, &*entry.to_json())?;
                expiry.insert((entry.until().as_secs(), last), ())?;
            }
            log.insert("position", u128::from(last))?;
            let old = (0, 0)..(now.minus(SLACK).as_secs(), 0);
            let old: Vec<_> = expiry
                .range(old)?
                .take(FORGOTTEN_AT_ONCE)
                .map(|row| Ok(row?.0.value()))
                .collect::<Result<_, StorageError>>()?;
            for key in old {
                expiry.remove(key)?;
                table.remove(key.1)?;
            }
            position = last;
        }
        transaction.commit()?;
        Ok(position)
    }

    pub(super) fn page(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        self.try_page(after).map_err(failed)
    }

    fn try_page(&self, after: Option<&Cursor>) -> Result<Page, redb::Error> {
        let transaction = self.database.begin_read()?;
        let log = transaction.open_table(LOG)?;
        let last = last_position(&log)?;
        let incarnation = log.get("incarnation")?.map_or(0, |value| value.value());
        let from = after.filter(|cursor| cursor.incarnation() == incarnation);
        let from = from.and_then(|cursor| u64::try_from(cursor.position()).ok()).filter(|from| *from <= last);

        let mut page = Page::empty(Cursor::new(incarnation, last.into()));
        page.is_restart = after.is_some() && from.is_none();
        let table = transaction.open_table(ENTRIES)?;
        let mut rows = table.range(from.map_or(0, |from| from + 1)..)?;
        for row in rows.by_ref().take(PAGE) {
            let (position, entry) = row?;
            page.take(entry.value());
            page.cursor = Cursor::new(incarnation, position.value().into());
        }
        page.is_last = rows.next().is_none();
        if page.is_last {
            page.cursor = Cursor::new(incarnation, last.into());
        }
        Ok(page)
    }
}

fn last_position(log: &impl ReadableTable<&'static str, u128>) -> Result<u64, StorageError> {
    let position = log.get("position")?.map_or(0, |value| value.value());
    Ok(u64::try_from(position).unwrap_or(u64::MAX))
}

fn open(path: &Path) -> io::Result<File> {
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

fn cannot_open(path: &Path, error: io::Error) -> LogError {
    let path = path.display();
    let hint = match error.kind() {
        ErrorKind::NotFound => "its folder does not exist: make it",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "this user may not write there: change that, or the path"
        }
        ErrorKind::IsADirectory => "it is a folder: name a file in it",
        _ => "it cannot be opened",
    };
    LogError::misconfigured(format!("the log of revocations in {path}: {hint}")).with_source(error)
}

fn explain(path: &Path, error: DatabaseError) -> LogError {
    let shown = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => LogError::misconfigured(format!(
            "the log of revocations in {shown} is open in another process, and only one can have it: end that one first, or use a log \
             with a server, which several instances can share"
        )),
        DatabaseError::UpgradeRequired(version) => LogError::misconfigured(format!(
            "the log of revocations in {shown} has the format {version} of another version of redb: start with that one"
        )),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() != ErrorKind::InvalidData => cannot_open(path, error),
        error => LogError::corrupt(format!(
            "the log of revocations in {shown} is damaged, or something else. If you move it away, an empty one is made: what was revoked \
             is then not known any more, so revoke by issuer everything that was issued up to now"
        ))
        .with_source(error),
    }
}

fn failed(error: impl Into<redb::Error>) -> LogError {
    let error = error.into();
    let detail = match &error {
        redb::Error::Io(error) if error.kind() == ErrorKind::StorageFull => {
            "the disk with the log of revocations is full: make room"
        }
        redb::Error::Io(_) => "the disk with the log of revocations fails",
        redb::Error::Corrupted(_) => return LogError::corrupt("the log of revocations is damaged").with_source(error),
        _ => "the log of revocations cannot be used",
    };
    LogError::unavailable(detail).with_source(error)
}
