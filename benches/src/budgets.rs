//! Budgets: what a benchmark is held to.

use std::process::ExitCode;

use crate::Options;

/// Prints how measured values compare with their budgets, and makes the benchmark fail if one is missed.
pub struct Budgets {
    /// Numbers of a quick run are to be looked at, and fail nothing.
    is_quick: bool,
    missed: Vec<String>,
}

impl Budgets {
    /// Differences of less than this many nanoseconds are noise: the same contender moves by as much between two runs.
    pub const NOISE: f64 = 10.0;

    /// None is missed yet.
    pub fn new(options: &Options) -> Self {
        Self { is_quick: options.quick, missed: Vec::new() }
    }

    /// Prints a line that says what was measured and what its budget is, and whether that is met.
    pub fn judge(&mut self, line: &str, is_met: bool) {
        println!("- {line}: {}", if is_met { "met" } else { "MISSED" });
        if !is_met {
            self.missed.push(line.to_owned());
        }
    }

    /// Judges a time: `what` takes `ns`, and may take `budget`.
    pub fn judge_ns(&mut self, what: &str, ns: f64, budget: f64) {
        self.judge(
            &format!("{what}: {ns:.0} ns (budget {budget:.0} ns, noise {:.0} ns)", Self::NOISE),
            ns <= budget + Self::NOISE,
        );
    }

    /// What `main` returns: a failure that names every budget that was missed.
    pub fn close(self) -> ExitCode {
        if self.missed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("\n{} of this benchmark's budgets missed:", self.missed.len());
        for line in &self.missed {
            eprintln!("  {line}");
        }
        if self.is_quick { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
