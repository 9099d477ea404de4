//! Secrets that are made at the first start, in the folder of the data.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use zeroize::Zeroizing;

use crate::Failure;

/// Returns 32 random bytes in hexadecimal: those of the file, which is made if it is not there, and which only its owner can read. Several instances need
/// the same, and a real service has them in its secret manager.
pub(super) fn secret(folder: &Path, name: &str) -> Result<Zeroizing<String>, Failure> {
    let path = folder.join(name);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *bytes)?;
            let mut text = Zeroizing::new(String::with_capacity(64));
            for byte in *bytes {
                write!(text, "{byte:02x}")?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(text)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text = Zeroizing::new(fs::read_to_string(&path)?);
            if text.len() != 64 {
                return Err(format!("{} is damaged: restore it, or remove the whole folder", path.display()).into());
            }
            Ok(text)
        }
        Err(error) => Err(format!("cannot write {}: {error}", path.display()).into()),
    }
}

/// Returns the bytes of such a secret.
pub(super) fn bytes(secret: &str) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(secret.get(2 * at..2 * at + 2).unwrap_or_default(), 16)?;
    }
    Ok(bytes)
}
