//! Configuration files.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use argon2::{Argon2, Params, PasswordHasher, password_hash::phc::PasswordHash};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tempfile::TempDir;

/// Everybody's.
pub(crate) const PASSWORD: &str = "the password of everybody";

/// A secret as a file lists it: id, state, and the byte that it consists of.
pub(crate) type Listed<'a> = (&'a str, &'a str, u8);

/// The files of several instances, each of which has its own copy, as on machines of their own.
#[derive(Debug)]
pub(crate) struct Fleet {
    folder: TempDir,
    settings: String,
}

impl Fleet {
    /// `settings` is what stands before the secrets, beside issuer and audience.
    pub(crate) fn new(settings: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: settings.to_owned() }
    }

    pub(crate) fn path(&self, instance: &str) -> PathBuf {
        self.folder.path().join(format!("{instance}.toml"))
    }

    /// Replaces an instance's file as a deployment tool does: at once.
    pub(crate) fn write(&self, instance: &str, secrets: &[Listed<'_>]) -> PathBuf {
        let mut text = self.settings.clone();
        for (id, state, byte) in secrets {
            let secret = secret(*byte);
            writeln!(text, "[[secrets]]\nid = \"{id}\"\nstate = \"{state}\"\nsecret = \"{secret}\"").unwrap();
        }
        text.push_str(&users());
        self.write_text(instance, &text)
    }

    pub(crate) fn write_text(&self, instance: &str, text: &str) -> PathBuf {
        let path = self.path(instance);
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &path).unwrap();
        path
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A secret in the form of the file.
pub(crate) fn secret(byte: u8) -> String {
    URL_SAFE_NO_PAD.encode([byte; 48])
}

/// A hash that is cheap to check: the tests log in often.
pub(crate) fn password_hash() -> String {
    let argon2 = Argon2::from(Params::new(8, 1, 1, None).unwrap());
    let hash: PasswordHash = argon2.hash_password(PASSWORD.as_bytes()).unwrap();
    hash.to_string()
}

fn users() -> String {
    let hash = password_hash();
    let many: Vec<_> = (0..60).map(|at| format!("\"orders:region-{at}:read\"")).collect();
    let user = |name: &str, scopes: &str, roles: &str| {
        format!("[[users]]\nname = \"{name}\"\npassword_hash = \"{hash}\"\nscopes = [{scopes}]\nroles = [{roles}]\n")
    };
    [
        user("reader", "\"orders:read\"", ""),
        user("writer", "\"orders:write\"", ""),
        user("admin", "", "\"admin\""),
        user("guest", "", ""),
        user("collector", &many.join(", "), ""),
    ]
    .concat()
}
