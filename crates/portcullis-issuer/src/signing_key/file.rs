//! Reading a key from a file that other users cannot read.

use std::{
    fs::{File, Metadata},
    io::Read,
    path::Path,
};

use portcullis_core::Algorithm;
use zeroize::Zeroizing;

use super::{SigningKey, SigningKeyError, SigningKeyErrorKind};
use crate::signer::Signer;

/// The longest file that is read. The largest RSA keys take some 13 KiB.
const MAX_BYTES: u64 = 64 * 1024;

pub(super) fn read(path: &Path, algorithm: Algorithm) -> Result<SigningKey, SigningKeyError> {
    let bytes = bytes_of(path).map_err(|error| error.in_file(path))?;
    key_of(&bytes, algorithm).map_err(|error| error.in_file(path))
}

fn bytes_of(path: &Path) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
    let unreadable = |error: std::io::Error| {
        SigningKeyError::new(SigningKeyErrorKind::Unreadable, format!("the signing key cannot be read: {error}"))
    };
    // The permissions are those of the opened file, and not of another that takes its place meanwhile.
    let file = File::open(path).map_err(unreadable)?;
    check_permissions(&file.metadata().map_err(unreadable)?)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SigningKeyError::new(
            SigningKeyErrorKind::Unreadable,
            "the file has more than 64 KiB: it is no key",
        ));
    }
    Ok(bytes)
}

fn key_of(bytes: &[u8], algorithm: Algorithm) -> Result<SigningKey, SigningKeyError> {
    let Some(text) = str::from_utf8(bytes).ok().map(|text| text.trim_start_matches('\u{feff}').trim_start()) else {
        return SigningKey::from_pkcs8(bytes, algorithm);
    };
    if !text.starts_with('{') {
        return SigningKey::from_pem(text, algorithm);
    }
    let key = SigningKey::from_jwk(text)?;
    if key.algorithm() == algorithm {
        return Ok(key);
    }
    Err(SigningKeyError::mismatch(format!(
        "the JSON Web Key is for {}, and {algorithm} is configured: change one of the two",
        key.algorithm()
    )))
}

/// The group may read: orchestrators give a service access to its secrets by its group.
#[cfg(unix)]
pub(crate) fn check_permissions(metadata: &Metadata) -> Result<(), SigningKeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o027 == 0 {
        return Ok(());
    }
    Err(SigningKeyError::new(
        SigningKeyErrorKind::Permissions,
        format!(
            "the file of the signing key has mode {mode:04o}, with which others can read or change it: make it `chmod 600` (`640` lets its \
             group read it), and replace the key if others may have read it"
        ),
    ))
}

#[cfg(not(unix))]
pub(crate) fn check_permissions(_: &Metadata) -> Result<(), SigningKeyError> {
    Ok(())
}
