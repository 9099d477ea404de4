//! How many tests really ran, read from the closing lines of `cargo nextest` and `cargo test`.

use std::{fmt, ops::AddAssign};

/// Numbers of tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// What one line of a test runner's output says; zeros for any other line.
    pub(crate) fn of_line(line: &str) -> Self {
        let line = without_colours(line);
        let line = line.trim_start();
        let mut tally = Self::default();
        if !line.starts_with("test result: ") && !line.starts_with("Summary [") {
            return tally;
        }
        let words: Vec<&str> = line.split([' ', ',', ';', ':', '(', ')']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let &[number, outcome] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match outcome {
                "passed" => tally.passed += number,
                // nextest says "2 timed out" and "1 exec failed"
                "failed" | "timed" | "exec" => tally.failed += number,
                "skipped" | "ignored" => tally.skipped += number,
                _ => {}
            }
        }
        tally
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The line without terminal colour codes (`ESC [ … m`).
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_code, tail)| tail);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let rows = [
            ("     Summary [   0.012s] 53 tests run: 53 passed, 2 skipped", (53, 0, 2)),
            (
                "     Summary [   9.1s] 5/9 tests run: 2 passed (1 slow), 1 failed, 1 timed out, 1 exec failed, 0 skipped",
                (2, 3, 0),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped",
                (1, 0, 0),
            ),
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                (5, 0, 1),
            ),
            (
                "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s",
                (4, 2, 0),
            ),
            ("a test that says 7 passed, 7 failed", (0, 0, 0)),
        ];
        for (line, (passed, failed, skipped)) in rows {
            assert_eq!(Tally::of_line(line), Tally { passed, failed, skipped }, "{line}");
        }
    }

    #[test]
    fn the_closing_line_is_plain() {
        let mut tally = Tally { passed: 1, failed: 0, skipped: 2 };
        tally += Tally { passed: 3, failed: 1, skipped: 0 };
        assert_eq!(tally.to_string(), "4 passed, 1 failed, 2 skipped");
    }
}
