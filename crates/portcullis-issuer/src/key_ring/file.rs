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
/// the issuer should be able to write: `keys`, `keys.new`, `keys.lock`. Its first line is the number of the change, and the document follows. Do
/// not edit it while an instance runs.
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
    fn read(&self) -> Result<Option<Content>, StoreError> {
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
        let mut content = Zeroizing::new(String::with_capacity(16 * 1024));
        file.take(MAX_BYTES).read_to_string(&mut content).map_err(failed(&self.document))?;
        Ok(Some(Content(content)))
    }

    fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        let Some(content) = self.read()? else { return Ok(None) };
        let (_, text) = content.parts().ok_or_else(|| {
            StoreError::new(format!("{} does not begin with the number of a change", self.document.display()))
        })?;
        Ok(Some(StoredDocument::new(text.to_owned(), content.version())))
    }

    /// A folder that is missing, such as one that is not mounted yet, is not an empty store: new keys would end all tokens.
    fn missing(&self) -> Result<Option<Content>, StoreError> {
        fs::metadata(self.folder()).map_err(failed(self.folder()))?;
        Ok(None)
    }

    fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        // Held until the end of the function.
        let _lock = self.lock()?;
        let current = self.read()?;
        if current.as_ref().map(Content::version) != expected {
            return Ok(Replaced::Conflict);
        }
        let next = Content::new(current.as_ref(), text);
        self.write(&next.0).map_err(failed(&self.new))?;
        fs::rename(&self.new, &self.document).map_err(failed(&self.document))?;
        File::open(self.folder()).and_then(|folder| folder.sync_all()).map_err(failed(self.folder()))?;
        Ok(Replaced::Stored(next.version()))
    }

    fn lock(&self) -> Result<File, StoreError> {
        let file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(&self.lock).map_err(failed(&self.lock))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(&self.lock)(error.into()))?;
        Ok(file)
    }

    fn write(&self, content: &str) -> io::Result<()> {
        // One that a killed process has left, perhaps with other permissions.
        match fs::remove_file(&self.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.new)?;
        file.write_all(content.as_bytes())?;
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

/// The number of a change, and the document.
struct Content(Zeroizing<String>);

impl Content {
    /// Returns the content that follows. Without a number, the same text would have the same version again.
    fn new(current: Option<&Self>, text: &str) -> Self {
        let number = current.and_then(Self::parts).map_or(0, |(number, _)| number);
        Self(Zeroizing::new(format!("{}\n{text}", number.wrapping_add(1))))
    }

    fn parts(&self) -> Option<(u64, &str)> {
        let (number, text) = self.0.split_once('\n')?;
        Some((number.parse().ok()?, text))
    }

    /// Returns a hash of number and text: after a backup was restored, numbers come again with other texts.
    fn version(&self) -> DocumentVersion {
        let hash = digest(&SHA256, self.0.as_bytes());
        DocumentVersion::new(hash.as_ref().iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }
}
