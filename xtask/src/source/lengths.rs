//! How long files are, and how long they may be.

use std::fmt;

use super::SourceFile;

/// Over this, a file should be split by noun.
const SOFT: usize = 250;
/// Over this, it must be.
const HARD: usize = 400;

/// Code lines per file.
#[derive(Debug)]
pub(crate) struct Lengths {
    /// Ascending.
    files: Vec<(usize, String)>,
}

impl Lengths {
    pub(crate) fn of(files: &[SourceFile]) -> Self {
        let mut files: Vec<_> = files.iter().map(|file| (file.code_lines().count(), file.path.clone())).collect();
        files.sort();
        Self { files }
    }

    /// Files over the hard limit.
    pub(crate) fn problems(&self) -> Vec<String> {
        let over = self.files.iter().filter(|(lines, _)| *lines > HARD);
        over.map(|(lines, path)| format!("{path} has {lines} code lines, more than {HARD}: split it by noun")).collect()
    }

    fn median(&self) -> usize {
        self.files.get(self.files.len() / 2).map_or(0, |(lines, _)| *lines)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.files.iter().map(|(lines, _)| lines).sum();
        write!(f, "{} files, {total} code lines, median {}", self.files.len(), self.median())?;
        let over = self.files.iter().rev().filter(|(lines, _)| *lines > SOFT);
        over.clone().try_for_each(|(lines, path)| write!(f, "\n    over {SOFT}: {path} ({lines})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(lines: &[usize]) -> Lengths {
        let files = lines.iter().map(|&lines| SourceFile::new(&format!("{lines}.rs"), &"f();\n".repeat(lines)));
        Lengths::of(&files.collect::<Vec<_>>())
    }

    #[test]
    fn the_hard_limit_is_allowed_and_one_more_is_not() {
        assert_eq!(lengths(&[HARD]).problems(), [""; 0]);
        assert_eq!(lengths(&[HARD + 1]).problems(), ["401.rs has 401 code lines, more than 400: split it by noun"]);
    }

    #[test]
    fn the_soft_limit_is_only_said() {
        let text = lengths(&[1, 3, SOFT + 1]).to_string();
        assert_eq!(text, "3 files, 255 code lines, median 3\n    over 250: 251.rs (251)");
        assert!(!lengths(&[SOFT]).to_string().contains("over"));
    }
}
