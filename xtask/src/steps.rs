//! Named steps with timings, a stop at the first failure, and a summary at the end.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::{
    args::{Args, Task},
    not_run::{NotRun, Optional},
    tally::Tally,
};

/// How a step ended well: what it has to say, or why there was nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Ok(String),
    Skipped(String),
}

/// What a step's work gives back; the error is the text a person needs to mend it.
pub(crate) type StepResult = Result<Done, String>;

/// A step failed and the rest is left out.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Runs steps and remembers how they ended.
#[derive(Debug)]
pub(crate) struct Steps {
    task: &'static str,
    only: Option<String>,
    keep_going: bool,
    ended: Vec<Ended>,
    left_out: Vec<String>,
    tally: Tally,
    not_run: Vec<NotRun>,
}

#[derive(Debug)]
struct Ended {
    name: String,
    took: Duration,
    result: StepResult,
}

impl Done {
    /// Passed, with nothing to add.
    pub(crate) fn quietly() -> Self {
        Self::Ok(String::new())
    }

    /// Passed, with a fact worth a line of the summary.
    pub(crate) fn note(note: impl Into<String>) -> Self {
        Self::Ok(note.into())
    }

    /// Not run, and why.
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

impl Steps {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            task: args.task.name(),
            only: args.only.clone(),
            // One benchmark whose budget is missed says nothing about the next.
            keep_going: args.keep_going || args.task == Task::Bench,
            ended: Vec::new(),
            left_out: Vec::new(),
            tally: Tally::default(),
            not_run: Vec::new(),
        }
    }

    /// Adds to the closing list what was not run within steps.
    pub(crate) fn not_run(&mut self, skips: Vec<NotRun>) {
        self.not_run.extend(skips);
    }

    /// Runs `work` under `name`, unless the command line asked for other steps only.
    ///
    /// # Errors
    /// When the step failed and the command is to stop there.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce(&mut Tally) -> StepResult) -> Result<(), Stopped> {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            self.left_out.push(name.to_owned());
            return Ok(());
        }
        println!("\n==> {name}");
        let start = Instant::now();
        let result = work(&mut self.tally);
        let ended = Ended { name: name.to_owned(), took: start.elapsed(), result };
        println!("{ended}");
        if ended.result.is_err() {
            println!("    again: cargo xtask {} '{name}'", self.task);
        }
        let stop = ended.result.is_err() && !self.keep_going;
        self.ended.push(ended);
        if stop { Err(Stopped) } else { Ok(()) }
    }

    /// Prints how every step ended, what was not run, and last the tally of tests if any ran. `true` if nothing failed,
    /// and nothing was left out that `optional` forbids to leave out.
    ///
    /// # Errors
    /// When no step has the name that the command line asked for.
    pub(crate) fn close(self, optional: Option<&Optional>) -> Result<bool, String> {
        if self.ended.is_empty() {
            let names = self.left_out.join("\n  ");
            return Err(format!("no step of `cargo xtask {}` has such a name; there are:\n  {names}", self.task));
        }
        println!("\ncargo xtask {}", self.task);
        for ended in &self.ended {
            println!("{ended}");
        }
        let failed = self.ended.iter().filter(|ended| ended.result.is_err()).count();
        if failed > 0 && !self.keep_going {
            println!("  a failure ends the command; --keep-going runs the rest all the same");
        }
        let not_run = self.all_not_run();
        if !not_run.is_empty() {
            println!("\nnot run:");
            for skip in &not_run {
                println!("  {skip}");
            }
        }
        let forbidden = optional.map(|optional| optional.forbids(&not_run)).unwrap_or_default();
        if !forbidden.is_empty() {
            println!(
                "  under CI=true only what tests/optional.toml names may be left out, not: {}",
                forbidden.join(", ")
            );
        }
        if !self.tally.is_empty() {
            println!("{}", self.tally);
        }
        Ok(failed == 0 && forbidden.is_empty())
    }

    fn all_not_run(&self) -> Vec<NotRun> {
        let steps = self.ended.iter().filter_map(|ended| match &ended.result {
            Ok(Done::Skipped(reason)) => Some(NotRun::step(&ended.name, reason)),
            _ => None,
        });
        steps.chain(self.not_run.iter().cloned()).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match &self.result {
            Ok(Done::Ok(note)) => ("ok", note),
            Ok(Done::Skipped(reason)) => ("NOT RUN", reason),
            Err(problem) => ("FAILED", problem),
        };
        write!(f, "  {word:<8}{:>7.1} s  {}", self.took.as_secs_f32(), self.name)?;
        if text.is_empty() { Ok(()) } else { write!(f, ": {text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(line: &str) -> Steps {
        Steps::new(&Args::parse(line.split_whitespace().map(str::to_owned)).unwrap())
    }

    #[test]
    fn the_first_failure_stops() {
        let mut steps = steps("check");
        assert!(steps.step("good", |_| Ok(Done::quietly())).is_ok());
        assert!(steps.step("bad", |_| Err("broken".to_owned())).is_err());
        assert_eq!(steps.close(None), Ok(false));
    }

    #[test]
    fn keep_going_runs_the_rest_and_still_fails() {
        let mut steps = steps("check --keep-going");
        assert!(steps.step("bad", |_| Err("broken".to_owned())).is_ok());
        assert!(steps.step("good", |_| Ok(Done::quietly())).is_ok());
        assert_eq!(steps.ended.len(), 2);
        assert_eq!(steps.close(None), Ok(false));
    }

    #[test]
    fn only_the_named_steps_run() {
        let mut steps = steps("check good");
        assert!(steps.step("bad", |_| Err("broken".to_owned())).is_ok());
        assert!(steps.step("good one", |_| Ok(Done::skipped("nothing here"))).is_ok());
        assert_eq!(steps.close(None), Ok(true));
    }

    #[test]
    fn a_step_that_is_not_run_fails_where_it_is_not_optional() {
        let optional = |name: &str| Optional::of(&[name]);
        let left_out = || {
            let mut steps = steps("test");
            assert!(steps.step("fuzz corpus", |_| Ok(Done::skipped("no tool"))).is_ok());
            steps
        };
        assert_eq!(left_out().close(None), Ok(true));
        assert_eq!(left_out().close(Some(&optional("fuzz corpus"))), Ok(true));
        assert_eq!(left_out().close(Some(&optional("something else"))), Ok(false));
        let mut in_a_step = steps("test");
        assert!(in_a_step.step("tests", |_| Ok(Done::quietly())).is_ok());
        in_a_step.not_run(vec![NotRun::step("server", "not installed")]);
        assert_eq!(in_a_step.close(Some(&optional("something else"))), Ok(false));
    }

    #[test]
    fn a_name_that_matches_no_step_is_a_mistake() {
        let mut steps = steps("check clipy");
        assert!(steps.step("clippy", |_| Ok(Done::quietly())).is_ok());
        assert!(steps.close(None).unwrap_err().contains("clippy"));
    }
}
