//! Files that only their owner may read, and [`Creds`] as one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use aws_lc_rs::rand;
use data_encoding::BASE32_NOPAD;

use crate::creds::Creds;

/// What happens to a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum Existing {
    /// It stays, and writing is an error.
    Keep,
    /// It is replaced in one step: a reader gets the old file or the new one.
    Replace,
}

impl Creds {
    /// Writes a credentials file that only its owner may read (mode 0600 from the start, on Unix).
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or is there already and has to be kept.
    pub fn write_file(&self, path: impl AsRef<Path>, existing: Existing) -> io::Result<()> {
        write_private(path.as_ref(), self.format().as_bytes(), existing)
    }
}

/// Writes a file that only its owner may read. It is complete when it gets its name.
pub(crate) fn write_private(path: &Path, content: &[u8], existing: Existing) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", random_name()?));
    let temporary = path.with_file_name(hidden);
    let written = write_new(&temporary, content).and_then(|()| match existing {
        // A link is not made over a file that is there.
        Existing::Keep => fs::hard_link(&temporary, path),
        Existing::Replace => fs::rename(&temporary, path),
    });
    if existing == Existing::Keep || written.is_err() {
        // It may be gone already; what counts is the outcome above.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; 10];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(BASE32_NOPAD.encode(&bytes))
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a folder that only its owner may read, and those above it.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Whether others than the owner may read a file. Not known on other systems than Unix.
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0);
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok(false)
    }
}
