//! A child process that is printed before it runs, as one would type it.

use std::{
    fmt,
    io::{BufRead, BufReader, IsTerminal, Read, stdout},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use crate::{tally::Tally, workspace};

/// A program with its arguments, run at the top of the repository unless said otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    program: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
}

impl Run {
    pub(crate) fn new(program: &str) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), environment: Vec::new(), folder: workspace::root() }
    }

    /// `cargo` with the words of `line` as arguments.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::new("cargo").words(line)
    }

    /// Adds the words of `line` as arguments.
    pub(crate) fn words(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(str::to_owned));
        self
    }

    /// Adds one argument, whatever it contains.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds `flag NAME` for every name.
    pub(crate) fn each<'a>(mut self, flag: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            self.args.extend([flag.to_owned(), name.to_owned()]);
        }
        self
    }

    /// Runs in that folder.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Prints the command, then lets it write to the terminal.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but success.
    pub(crate) fn run(&self) -> Result<(), String> {
        println!("$ {self}");
        let status = self.command().status().map_err(|error| self.not_started(&error))?;
        self.succeeded(status)
    }

    /// Like [`Run::run`]; what the test runner's closing lines say is added to `tally`.
    ///
    /// # Errors
    /// As for [`Run::run`]; the tests that ran until then are counted all the same.
    pub(crate) fn run_counting(&self, tally: &mut Tally) -> Result<(), String> {
        println!("$ {self}");
        let mut command = self.command();
        if stdout().is_terminal() {
            // behind a pipe they would take the colours away
            command.env("CARGO_TERM_COLOR", "always");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = thread::scope(|scope| {
            let err = scope.spawn(|| err.map_or_else(Tally::default, |pipe| pass_on(pipe, |line| eprintln!("{line}"))));
            let out = out.map_or_else(Tally::default, |pipe| pass_on(pipe, |line| println!("{line}")));
            (out, err.join().unwrap_or_default())
        });
        *tally += out;
        *tally += err;
        let status = child.wait().map_err(|error| self.not_started(&error))?;
        self.succeeded(status)
    }

    /// Runs silently and gives what was written to standard output.
    ///
    /// # Errors
    /// When it cannot be started or fails; then with what was written to standard error.
    pub(crate) fn output(&self) -> Result<String, String> {
        let output = self.command().output().map_err(|error| self.not_started(&error))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        self.succeeded(output.status).map_err(|problem| format!("{problem}\n{}", stderr.trim_end()))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The process to start, for callers that talk to it while it runs.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("`{}` could not be run: {error}", self.program)
    }

    fn succeeded(&self, status: ExitStatus) -> Result<(), String> {
        if status.success() { Ok(()) } else { Err(format!("`{self}` ended with {status}")) }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        write!(f, "{}", self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// As a POSIX shell wants it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+/.,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Hands every line to `print` and counts tests; output that is not UTF-8 is shown as well as it can be.
fn pass_on(pipe: impl Read, print: impl Fn(&str)) -> Tally {
    let mut tally = Tally::default();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        print(&line);
        tally += Tally::of_line(&line);
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let run = Run::cargo("doc --no-deps").each("-p", ["one", "two"]).arg("it's").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(run.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps -p one -p two 'it'\''s'");
    }

    #[test]
    fn a_failure_names_the_command() {
        assert!(Run::cargo("no-such-subcommand").output().unwrap_err().contains("cargo no-such-subcommand"));
        assert!(Run::new("no-such-program-anywhere").output().unwrap_err().contains("no-such-program-anywhere"));
    }

    #[test]
    fn tests_are_counted_on_both_streams() {
        let mut tally = Tally::default();
        let script = "echo 'test result: ok. 2 passed; 0 failed'; echo '  Summary [1s] 1 test run: 1 passed' >&2";
        Run::new("sh").arg("-c").arg(script).run_counting(&mut tally).unwrap();
        assert_eq!(tally.to_string(), "3 passed, 0 failed, 0 skipped");
    }
}
