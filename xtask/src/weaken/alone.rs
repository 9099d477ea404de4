//! One run at a time, as all share one copy of the tree.

use std::{fs, path::PathBuf};

/// The right to the copy, given back on drop.
#[derive(Debug)]
pub(super) struct Alone {
    folder: PathBuf,
}

impl Alone {
    /// Creates `folder`, which no other process can do meanwhile.
    ///
    /// # Errors
    /// When it is there already: what to do then.
    pub(super) fn claim(folder: PathBuf) -> Result<Self, String> {
        folder.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| error.to_string())?;
        fs::create_dir(&folder).map_err(|error| {
            let folder = folder.display();
            format!("another run is under way, or one was broken off; if not under way, remove {folder} ({error})")
        })?;
        Ok(Self { folder })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("{}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_at_once_are_one_too_many() {
        let folder = std::env::temp_dir().join(format!("portcullis-xtask-alone-{}", std::process::id()));
        let first = Alone::claim(folder.clone()).unwrap();
        assert!(Alone::claim(folder.clone()).unwrap_err().contains("under way"));
        drop(first);
        drop(Alone::claim(folder).unwrap());
    }
}
