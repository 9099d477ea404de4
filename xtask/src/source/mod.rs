//! Our Rust files, reduced to code: no comments, no documentation, no tests.

mod lengths;
mod strip;

use std::{fs, io, path::Path};

pub(crate) use lengths::Lengths;

/// Where our code lives. Tests and benchmarks have folders of their own, which are left out.
const FOLDERS: &[&str] = &["crates", "examples", "xtask", "fuzz"];
const NOT_CODE: &[&str] = &["tests", "benches", "target", "corpus", "artifacts"];

/// One Rust file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// From the top of the repository, with `/`.
    pub(crate) path: String,
    /// The text with comments, string contents and tests blanked out, line by line as in the file.
    code: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: strip::without_tests(&strip::without_comments(text)) }
    }

    /// Lines that hold code, with their numbers.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim().is_empty())
    }
}

/// All our Rust files in order of their paths.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn load(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        read_folder(root, folder, &mut files).map_err(|error| format!("reading {folder}: {error}"))?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Prints the number of code lines of every file, and what they say together.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn print_lines(root: &Path) -> Result<(), String> {
    let files = load(root)?;
    for file in &files {
        println!("{:>5}  {}", file.code_lines().count(), file.path);
    }
    println!("{}", Lengths::of(&files));
    Ok(())
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<SourceFile>) -> io::Result<()> {
    let path = root.join(folder);
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let inner = format!("{folder}/{name}");
        if entry.file_type()?.is_dir() {
            if !NOT_CODE.contains(&name.as_str()) {
                read_folder(root, &inner, files)?;
            }
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            files.push(SourceFile::new(&inner, &fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_lines_keep_their_numbers() {
        let file = SourceFile::new("a.rs", "//! docs\n\nfn f() {} // why\n#[cfg(test)]\nmod tests {\n}\nfn g() {}\n");
        let lines: Vec<_> = file.code_lines().map(|(number, line)| (number, line.trim())).collect();
        assert_eq!(lines, [(3, "fn f() {}"), (7, "fn g() {}")]);
    }

    #[test]
    fn our_own_files_are_found() {
        let files = load(&crate::workspace::root()).unwrap();
        let this = files.iter().find(|file| file.path == "xtask/src/source/mod.rs").unwrap();
        assert!(this.code_lines().all(|(_, line)| !line.contains("cfg(test)")));
    }
}
