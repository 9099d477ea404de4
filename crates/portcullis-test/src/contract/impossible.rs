//! [`Impossible`]: the faults that cannot happen to a place.

use std::{
    any::type_name,
    fmt::{Debug, Display},
};

use super::Possible;

/// The faults that cannot happen to a place, each with the reason, as its test declares them.
#[derive(Debug)]
pub(super) struct Impossible<S>(Vec<(S, &'static str)>);

impl<S: Copy + Debug + Display + PartialEq> Impossible<S> {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn declare(&mut self, switch: S, reason: &'static str) {
        self.0.push((switch, reason));
    }

    /// Whether the fault has happened; if it cannot, the test must have declared it.
    #[track_caller]
    #[expect(clippy::panic, reason = "a contract that is broken is a test that has failed")]
    pub(super) fn has_happened(&self, switch: S, possible: Possible) -> bool {
        let declared = self.0.iter().find(|(other, _)| *other == switch);
        match (possible, declared) {
            (Possible::Yes, None) => true,
            (Possible::No, Some(_)) => false,
            (Possible::No, None) => {
                let name = type_name::<S>().rsplit("::").next().unwrap_or_default();
                panic!(
                    "the place cannot {switch}, and its test does not declare that: `.without({name}::{switch:?}, why)`"
                )
            }
            (Possible::Yes, Some((_, reason))) => {
                panic!("the place can {switch}, although its test declares that it cannot ({reason})")
            }
        }
    }

    /// Prints which rules were not checked.
    pub(super) fn print(&self, part: &str) {
        for (switch, reason) in &self.0 {
            eprintln!("not run: {part} cannot {switch}: {reason}");
        }
    }
}
