//! What a run of the tests left out, so that a skip is seen, and which of it may be left out.
//!
//! A test that cannot run here appends a line to the file that `PORTCULLIS_SKIPS` names, as the output of tests that pass
//! is hidden: the name of what it needs, its own, and why. `tests/optional.toml` lists the names that may be missing
//! where nothing else may, under `CI=true`.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

use toml::{Table, Value};

use crate::workspace::root;

/// The variable that tells tests where the file is.
pub(crate) const VARIABLE: &str = "PORTCULLIS_SKIPS";

/// One thing that was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotRun {
    /// A step, or what tests need and did not find.
    name: String,
    /// The tests that need it; none if it is a step.
    tests: Vec<String>,
    /// Why, and how to get it.
    why: String,
}

impl NotRun {
    /// A step of the command.
    pub(crate) fn step(name: &str, why: &str) -> Self {
        Self { name: name.to_owned(), tests: Vec::new(), why: why.to_owned() }
    }
}

/// Where tests write what they leave out.
pub(crate) fn file() -> PathBuf {
    root().join("target/not-run.tsv")
}

/// Forgets what an earlier run left out.
pub(crate) fn forget() {
    // If it is there and cannot be removed, the list is too long, which is seen.
    let _removed = fs::remove_file(file());
}

/// What the tests of this run left out.
pub(crate) fn of_tests() -> Vec<NotRun> {
    parse(&fs::read_to_string(file()).unwrap_or_default())
}

/// Lines of the form `name TAB test TAB why`, one for each test, brought together by name.
fn parse(lines: &str) -> Vec<NotRun> {
    let mut by_name: BTreeMap<&str, NotRun> = BTreeMap::new();
    for line in lines.lines() {
        let (name, rest) = line.split_once('\t').unwrap_or((line, ""));
        let (test, why) = rest.split_once('\t').unwrap_or((rest, "it did not say why"));
        by_name.entry(name).or_insert_with(|| NotRun::step(name, why)).tests.push(test.to_owned());
    }
    let sorted = |mut skip: NotRun| {
        skip.tests.sort();
        skip.tests.dedup();
        skip
    };
    by_name.into_values().map(sorted).collect()
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, tests, why } = self;
        match tests.as_slice() {
            [] => write!(f, "{name}: {why}"),
            [test] => write!(f, "{name} (1 test): {why}\n      {test}"),
            tests => write!(f, "{name} ({} tests): {why}\n      {}", tests.len(), tests.join("\n      ")),
        }
    }
}

/// What may be left out, by name.
#[derive(Debug)]
pub(crate) struct Optional(Vec<String>);

impl Optional {
    /// As `tests/optional.toml` lists it.
    ///
    /// # Errors
    /// When the file cannot be read, or an entry has no reason.
    pub(crate) fn load() -> Result<Self, String> {
        let path = root().join("tests/optional.toml");
        let text = fs::read_to_string(path).map_err(|error| error.to_string());
        text.and_then(|text| Self::parse(&text)).map_err(|problem| format!("tests/optional.toml: {problem}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| format!("{error}"))?;
        let entries = table.get("optional").and_then(Value::as_array).ok_or("no [[optional]]")?;
        let name = |entry: &Value| {
            let string = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
            string("reason").and(string("name")).ok_or("an entry needs a `name` and a `reason`".to_owned())
        };
        Ok(Self(entries.iter().map(name).collect::<Result<_, _>>()?))
    }

    #[cfg(test)]
    pub(crate) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// Those of `skips` that must not be missing.
    pub(crate) fn forbids(&self, skips: &[NotRun]) -> Vec<String> {
        skips.iter().map(|skip| skip.name.clone()).filter(|name| !self.0.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "vectors\ta::two\tno such folder\nserver\tb::one\tnot installed\nvectors\ta::one\tno such folder\n\
                         vectors\ta::one\tno such folder\n";

    #[test]
    fn tests_that_need_the_same_thing_are_one_entry() {
        let shown: Vec<_> = parse(LINES).iter().map(ToString::to_string).collect();
        let server = "server (1 test): not installed\n      b::one";
        let vectors = "vectors (2 tests): no such folder\n      a::one\n      a::two";
        assert_eq!(shown, [server, vectors]);
        assert_eq!(NotRun::step("fuzz", "no tool").to_string(), "fuzz: no tool");
        assert_eq!(parse(""), []);
    }

    #[test]
    fn only_what_the_list_names_may_be_left_out() {
        let optional = Optional::parse("[[optional]]\nname = \"vectors\"\nreason = \"not ours\"\n").unwrap();
        let mut skips = parse(LINES);
        assert_eq!(optional.forbids(&skips), ["server"]);
        skips.retain(|skip| skip.name == "vectors");
        assert_eq!(optional.forbids(&skips), [""; 0]);
        skips.push(NotRun::step("fuzz corpus", "no tool"));
        assert_eq!(optional.forbids(&skips), ["fuzz corpus"]);
    }

    #[test]
    fn what_may_be_left_out_has_a_reason() {
        assert!(Optional::parse("[[optional]]\nname = \"vectors\"\n").unwrap_err().contains("reason"));
        assert!(Optional::load().unwrap().forbids(&parse("Wycheproof\ta\tb")).is_empty());
    }
}
