//! What became of each, and of all.

use std::{fmt, time::Duration};

use super::{Verdict, Weakening};

/// How the weakenings ended.
#[derive(Debug, Default)]
pub(super) struct Report {
    caught: usize,
    survived: Vec<String>,
    not_built: Vec<String>,
    took: Duration,
}

impl Report {
    /// Prints one and counts it; `place` is which it is of how many.
    pub(super) fn add(&mut self, weakening: &Weakening, verdict: Verdict, took: Duration, place: (usize, usize)) {
        let name = weakening.name.clone();
        self.took += took;
        let (word, by) = match verdict {
            Verdict::Caught(test) => {
                self.caught += 1;
                ("caught", test)
            }
            Verdict::Survived => {
                self.survived.push(name);
                ("SURVIVED", String::new())
            }
            Verdict::NotBuilt(why) => {
                self.not_built.push(name);
                ("NOT BUILT", format!("\n{why}"))
            }
        };
        println!("  {word:<9} {:>3}/{} {:>6.1} s  {:<44} {by}", place.0, place.1, took.as_secs_f32(), weakening.name);
    }

    pub(super) fn is_clean(&self) -> bool {
        self.survived.is_empty() && self.not_built.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, names) in [("survived", &self.survived), ("could not be built", &self.not_built)] {
            names.iter().try_for_each(|name| writeln!(f, "  {what}: {name}"))?;
        }
        let total = self.caught + self.survived.len() + self.not_built.len();
        let (survived, not_built) = (self.survived.len(), self.not_built.len());
        let minutes = self.took.as_secs().div_ceil(60);
        write!(
            f,
            "{total} weakenings: {} caught, {survived} survived, {not_built} not built; {minutes} min",
            self.caught
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_survivor_is_one_too_many() {
        let mut report = Report { caught: 2, ..Report::default() };
        assert!(report.is_clean());
        assert_eq!(report.to_string(), "2 weakenings: 2 caught, 0 survived, 0 not built; 0 min");
        report.survived.push("exp".to_owned());
        assert!(!report.is_clean());
        assert!(report.to_string().contains("survived: exp"));
    }
}
