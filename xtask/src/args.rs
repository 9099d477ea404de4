//! The command line, parsed without I/O.

/// What `cargo xtask help` prints.
pub(crate) const HELP: &str = "\
cargo xtask COMMAND [STEP] [--keep-going]

  check     what needs no running: format, clippy, docs, each feature by itself,
            dependencies and licences, architecture
  test      every test: unit and integration, documentation, quickstart, fuzz corpus
  ci        check, then test: the gate a change has to pass
  lines     code lines per file, without documentation and tests
  bench     the benchmarks, their tables, and docs/bench.svg
  weaken    weakens the verifier in many ways, one at a time, and wants a test to fail each time
  chaos     kills servers and instances under load, and counts which revocations were lost
  release   what takes minutes or extra tools: packages, public API, a fuzz search, advisories

  STEP          run only the steps whose name contains this text, such as `cargo xtask check clippy`;
                `--only STEP` is the same
  --keep-going  run the remaining steps after a failure
  --allow-dirty release: package files that are not committed yet
  --minutes N   chaos: end after so many minutes at most (15 unless told otherwise)
  --log NAME    chaos: only this log: nats, postgres, redb or redis
  --quick       bench: see that everything works; numbers to look at, not to keep";

/// What `chaos` knows.
const LOGS: [&str; 4] = ["nats", "postgres", "redb", "redis"];

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) task: Task,
    /// Runs only steps whose name contains this.
    pub(crate) only: Option<String>,
    pub(crate) keep_going: bool,
    pub(crate) allow_dirty: bool,
    pub(crate) quick: bool,
    /// Of the command `chaos`.
    pub(crate) minutes: Option<u32>,
    /// Of the command `chaos`: the one log whose servers and instances are killed.
    pub(crate) log: Option<String>,
}

/// The command to carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Check,
    Test,
    Ci,
    Lines,
    Bench,
    Weaken,
    Chaos,
    Release,
}

impl Args {
    /// Reads the words after `cargo xtask`. No word at all asks for help.
    ///
    /// # Errors
    /// The text to show for a word that means nothing here.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            task: Task::Help,
            only: None,
            keep_going: false,
            allow_dirty: false,
            quick: false,
            minutes: None,
            log: None,
        };
        let mut task = None;
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--only" => args.only = Some(words.next().ok_or("--only needs a name")?),
                "--keep-going" => args.keep_going = true,
                "--allow-dirty" => args.allow_dirty = true,
                "--quick" => args.quick = true,
                "--minutes" => {
                    let number = words.next().and_then(|word| word.parse().ok()).filter(|minutes| *minutes > 0);
                    args.minutes = Some(number.ok_or("--minutes needs a number")?);
                }
                "--log" => {
                    let log = words.next().filter(|word| LOGS.contains(&word.as_str()));
                    args.log = Some(log.ok_or_else(|| format!("--log needs one of {}", LOGS.join(", ")))?);
                }
                "--help" | "-h" => task = Some(Task::Help),
                flag if flag.starts_with('-') => return Err(format!("unknown option `{flag}`\n\n{HELP}")),
                name if task.is_none() => task = Some(Task::from_name(name)?),
                _ if args.only.is_none() => args.only = Some(word),
                extra => {
                    return Err(format!("one STEP at most; quote a name with spaces (`{extra}` is left over)"));
                }
            }
        }
        args.task = task.unwrap_or(Task::Help);
        Ok(args)
    }
}

impl Task {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Check => "check",
            Self::Test => "test",
            Self::Ci => "ci",
            Self::Lines => "lines",
            Self::Bench => "bench",
            Self::Weaken => "weaken",
            Self::Chaos => "chaos",
            Self::Release => "release",
        }
    }

    fn from_name(name: &str) -> Result<Self, String> {
        [
            Self::Help,
            Self::Check,
            Self::Test,
            Self::Ci,
            Self::Lines,
            Self::Bench,
            Self::Weaken,
            Self::Chaos,
            Self::Release,
        ]
        .into_iter()
        .find(|task| task.name() == name)
        .ok_or_else(|| format!("unknown command `{name}`\n\n{HELP}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_command_a_step_and_options_in_any_order() {
        let expected = Args {
            task: Task::Check,
            only: Some("clippy".to_owned()),
            keep_going: true,
            allow_dirty: false,
            quick: false,
            minutes: None,
            log: None,
        };
        assert_eq!(parse("check clippy --keep-going"), Ok(expected));
        assert_eq!(parse("--keep-going check clippy"), parse("check clippy --keep-going"));
        assert_eq!(parse("check --only clippy --keep-going"), parse("check clippy --keep-going"));
    }

    #[test]
    fn chaos_can_be_given_an_end() {
        let args = parse("chaos --minutes 5").unwrap();
        assert_eq!((args.task, args.minutes), (Task::Chaos, Some(5)));
        assert_eq!(parse("chaos").unwrap().minutes, None);
    }

    #[test]
    fn chaos_can_be_limited_to_one_log() {
        assert_eq!(parse("chaos --log redis").unwrap().log.as_deref(), Some("redis"));
        assert!(parse("chaos --log sqlite").unwrap_err().contains("redis"));
        assert_eq!(parse("chaos").unwrap().log, None);
    }

    #[test]
    fn nothing_asks_for_help() {
        assert_eq!(parse("").unwrap().task, Task::Help);
        assert_eq!(parse("check --help").unwrap().task, Task::Help);
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(parse("chekc").unwrap_err().contains("`chekc`"));
        assert!(parse("check --fast").unwrap_err().contains("`--fast`"));
        assert!(parse("check one two").unwrap_err().contains("`two`"));
        assert!(parse("weaken --only").unwrap_err().contains("--only"));
        assert!(parse("chaos --minutes soon").unwrap_err().contains("--minutes"));
    }
}
