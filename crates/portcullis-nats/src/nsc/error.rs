//! [`NscError`]: why something that `nsc` keeps cannot be read.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{creds::CredsError, nkey::NkeyError, token::TokenError};

/// Something that `nsc` keeps cannot be read. It names the file, and never what is in it.
#[derive(Debug)]
pub struct NscError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Name,
    File(io::Error),
    Open,
    Token(TokenError),
    Key(NkeyError),
    Creds(CredsError),
}

impl NscError {
    pub(super) fn name() -> Self {
        Self { path: PathBuf::new(), problem: Problem::Name }
    }

    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self { path: path.to_owned(), problem: Problem::File(error) }
    }

    pub(super) fn open(path: &Path) -> Self {
        Self { path: path.to_owned(), problem: Problem::Open }
    }

    pub(super) fn token(path: &Path, error: TokenError) -> Self {
        Self { path: path.to_owned(), problem: Problem::Token(error) }
    }

    pub(super) fn key(path: &Path, error: NkeyError) -> Self {
        Self { path: path.to_owned(), problem: Problem::Key(error) }
    }

    pub(super) fn creds(path: &Path, error: CredsError) -> Self {
        Self { path: path.to_owned(), problem: Problem::Creds(error) }
    }

    /// Returns the file or folder; empty if the error is about a name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is refused because other users of the system can read it.
    pub const fn is_open_to_others(&self) -> bool {
        matches!(self.problem, Problem::Open)
    }
}

impl fmt::Display for NscError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Name => {
                f.write_str("the name of an operator, account or user has no slashes, and does not begin with a dot")
            }
            Problem::File(_) => write!(f, "{path} cannot be read"),
            Problem::Open => write!(f, "{path} has a seed, and others than its owner may read it: chmod 600"),
            Problem::Token(_) => write!(f, "{path} is not the token that belongs there"),
            Problem::Key(_) => write!(f, "{path} does not have the seed that belongs there"),
            Problem::Creds(_) => write!(f, "{path} is no credentials file"),
        }
    }
}

impl Error for NscError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Name | Problem::Open => None,
            Problem::File(error) => Some(error),
            Problem::Token(error) => Some(error),
            Problem::Key(error) => Some(error),
            Problem::Creds(error) => Some(error),
        }
    }
}
