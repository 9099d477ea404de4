//! A copy of the working tree, to be changed.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::command::Run;

/// The copy.
#[derive(Debug)]
pub(crate) struct Tree {
    folder: PathBuf,
}

impl Tree {
    /// Makes `folder` hold what git knows of the tree at `root` or would take into it, and nothing else.
    ///
    /// A file that is there already with the same content is not touched, so that it is not built again; one that was
    /// left weakened is written, and so is newer than what was built of it.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub(crate) fn copy(root: &Path, folder: &Path) -> Result<Self, String> {
        let listed = Run::new("git").words("ls-files -z --cached --others --exclude-standard").output()?;
        let files = listed.split('\0').filter(|file| !file.is_empty() && root.join(file).is_file());
        let files: HashSet<PathBuf> = files.map(PathBuf::from).collect();
        let copied = remove_others(folder, Path::new(""), &files)
            .and_then(|()| files.iter().try_for_each(|file| copy_changed(&root.join(file), &folder.join(file))));
        copied.map_err(|error| format!("copying the tree: {error}"))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.folder.join(file)).map_err(|error| format!("{file}: {error}"))
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> Result<(), String> {
        fs::write(self.folder.join(file), text).map_err(|error| format!("{file}: {error}"))
    }
}

fn copy_changed(from: &Path, to: &Path) -> io::Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(to, content)
}

/// Removes what is under `top/inner` and not listed; links are not followed.
fn remove_others(top: &Path, inner: &Path, listed: &HashSet<PathBuf>) -> io::Result<()> {
    let folder = top.join(inner);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let inner = inner.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            remove_others(top, &inner, listed)?;
        } else if !listed.contains(&inner) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_and_only_what_is_listed_stays() {
        let folder = std::env::temp_dir().join(format!("portcullis-xtask-tree-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir_all(to.join("a")).unwrap();
        fs::write(from.join("a/kept"), "1").unwrap();
        fs::write(to.join("a/other"), "2").unwrap();
        let listed = HashSet::from([PathBuf::from("a/kept")]);

        copy_changed(&from.join("a/kept"), &to.join("a/kept")).unwrap();
        remove_others(&to, Path::new(""), &listed).unwrap();
        assert!(to.join("a/kept").exists() && !to.join("a/other").exists());

        let written = || fs::metadata(to.join("a/kept")).unwrap().modified().unwrap();
        let before = written();
        copy_changed(&from.join("a/kept"), &to.join("a/kept")).unwrap();
        assert_eq!(written(), before);
        fs::write(to.join("a/kept"), "weakened").unwrap();
        copy_changed(&from.join("a/kept"), &to.join("a/kept")).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/kept")).unwrap(), "1");
        fs::remove_dir_all(folder).unwrap();
    }
}
