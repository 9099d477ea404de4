//! Secrets that are made at the first start, in the folder of the data, in files that only their owner can read.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use zeroize::Zeroizing;

use crate::Failure;

/// Returns 32 random bytes in hexadecimal: those of the file, which is made if it is not there. Several instances need the same, and a real service
/// has them in its secret manager.
pub(super) fn secret(folder: &Path, name: &str) -> Result<Zeroizing<String>, Failure> {
    let path = folder.join(name);
    if !path.exists() {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in *bytes {
            write!(text, "{byte:02x}")?;
        }
        keep(&path, &text)?;
        return Ok(text);
    }
    let text = Zeroizing::new(fs::read_to_string(&path)?);
    if text.len() != 64 {
        return Err(format!("{} is damaged: restore it, or remove the whole folder", path.display()).into());
    }
    Ok(text)
}

/// Writes a secret to a new file.
pub(super) fn keep(path: &Path, secret: &str) -> Result<(), Failure> {
    let cannot_write = |error| format!("cannot write {}: {error}", path.display());
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(cannot_write)?;
    file.write_all(secret.as_bytes()).map_err(cannot_write)?;
    Ok(file.sync_all().map_err(cannot_write)?)
}

/// Returns the bytes of such a secret.
pub(super) fn bytes(secret: &str) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(secret.get(2 * at..2 * at + 2).unwrap_or_default(), 16)?;
    }
    Ok(bytes)
}
