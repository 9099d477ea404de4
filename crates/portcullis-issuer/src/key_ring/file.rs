//! [`FileSigningKeys`]: a document in a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use super::{DocumentVersion, Replaced, SigningKeys, StoredDocument};
use crate::{signing_key::file::check_permissions, store_error::StoreError};

/// A document in a file that only its owner can read (mode 0600), for the instances of one machine. Unix only.
///
/// A change is written to a second file, which then takes the place of the first: a process that is killed at any moment leaves the old
/// document or the new one. Processes take turns by a lock on a third file, which ends with its process. The three are in one folder, which only
/// the issuer should be able to write: `keys.json`, `keys.json.new`, `keys.json.lock`. Do not edit the file while an instance runs.
///
/// The lock does not hold between machines that share a network file system.
#[derive(Clone, Debug)]
pub struct FileSigningKeys(Arc<Files>);

#[derive(Debug)]
struct Files {
    document: PathBuf,
    new: PathBuf,
    lock: PathBuf,
}

/// The longest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

impl FileSigningKeys {
    /// Returns the store for a file, which need not exist yet. Its folder has to.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self(Arc::new(Files { document: path.to_owned(), new: beside(".new"), lock: beside(".lock") }))
    }

    /// Runs on a thread where waiting for the disk and for the lock is allowed.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.0);
        let outcome = tokio::task::spawn_blocking(move || work(&files)).await;
        outcome.unwrap_or_else(|error| Err(StoreError::new("the file could not be accessed").with_source(error)))
    }
}

impl SigningKeys for FileSigningKeys {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        self.run(Files::load).await
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        let text = Zeroizing::new(text.to_owned());
        self.run(move |files| files.replace(expected, &text)).await
    }
}

impl Files {
    fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        // The permissions are those of the opened file, and not of another that takes its place meanwhile.
        let file = match File::open(&self.document) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.missing(),
            Err(error) => return Err(failed(&self.document)(error)),
        };
        let metadata = file.metadata().map_err(failed(&self.document))?;
        check_permissions(&metadata).map_err(|error| {
            StoreError::new(format!("{} is not private", self.document.display())).with_source(error)
        })?;
        let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed(&self.document))?;
        let version = version_of(&text);
        Ok(Some(StoredDocument::new(text, version)))
    }

    /// A folder that is missing, such as one that is not mounted yet, is not an empty store: new keys would end all tokens.
    fn missing(&self) -> Result<Option<StoredDocument>, StoreError> {
        fs::metadata(self.folder()).map_err(failed(self.folder()))?;
        Ok(None)
    }

    fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        // Held until the end of the function.
        let _lock = self.lock()?;
        if self.load()?.map(|stored| stored.version()) != expected {
            return Ok(Replaced::Conflict);
        }
        self.write(text).map_err(failed(&self.new))?;
        fs::rename(&self.new, &self.document).map_err(failed(&self.document))?;
        File::open(self.folder()).and_then(|folder| folder.sync_all()).map_err(failed(self.folder()))?;
        Ok(Replaced::Stored(version_of(text)))
    }

    fn lock(&self) -> Result<File, StoreError> {
        let file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(&self.lock).map_err(failed(&self.lock))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(&self.lock)(error.into()))?;
        Ok(file)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        // One that a killed process has left, perhaps with other permissions.
        match fs::remove_file(&self.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn folder(&self) -> &Path {
        let folder = self.document.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::new(format!("{} cannot be used", path.display())).with_source(error)
}

/// The version follows from the text, so that the file has nothing but the document.
fn version_of(text: &str) -> DocumentVersion {
    let hash = digest(&SHA256, text.as_bytes());
    DocumentVersion::new(hash.as_ref().iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet)))
}
