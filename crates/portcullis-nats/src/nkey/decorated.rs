//! Texts that have a seed, or a token and a seed, between lines of dashes.

use super::{NkeyError, NkeyErrorKind};

/// Returns the content of each block: one line of a token's characters between two lines of dashes.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().map(str::trim_end);
    let is_border = |line: &str| line.len() >= 6 && line.starts_with("---") && line.ends_with("---");
    let is_content = |line: &str| {
        !line.is_empty()
            && !line.starts_with("---")
            && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.=".contains(&b))
    };
    std::iter::from_fn(move || {
        let mut before = None;
        loop {
            let line = lines.next()?;
            match before {
                Some(content) if is_border(line) => return Some(content),
                _ => before = None,
            }
            if is_border(line) {
                before = lines.next().filter(|content| is_content(content));
            }
        }
    })
}

/// Returns the seed in a text: that of the second block, or else the first line that begins as one.
pub(super) fn seed(text: &str) -> Result<&str, NkeyError> {
    let is_seed = |line: &&str| ["SO", "SA", "SU"].iter().any(|start| line.starts_with(start));
    let found = match blocks(text).nth(1) {
        Some(second) => Some(second).filter(is_seed),
        None => text.lines().find(|line| is_seed(&line.trim_start())).filter(is_seed),
    };
    found.ok_or_else(|| NkeyErrorKind::NotFound.into())
}
