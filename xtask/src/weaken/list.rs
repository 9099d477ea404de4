//! The list of weakenings.

use std::fs;

use toml::{Table, Value};

use crate::workspace::root;

/// One weakening.
#[derive(Clone, Debug)]
pub(super) struct Weakening {
    /// What is not checked any more.
    pub(super) name: String,
    /// From the top of the repository.
    pub(super) file: String,
    find: String,
    replace: String,
    /// The tests to run first, as arguments of the test runner; all others follow only if these notice nothing.
    run: Option<String>,
}

impl Weakening {
    /// The text with the weakening in it.
    ///
    /// # Errors
    /// When its place is not there, or there more than once.
    pub(super) fn weakened(&self, sound: &str) -> Result<String, String> {
        match sound.matches(&self.find).count() {
            1 => Ok(sound.replacen(&self.find, &self.replace, 1)),
            count => Err(format!(
                "weakening `{}`: its text stands {count} times in {}, it has to be once:\n{}",
                self.name, self.file, self.find
            )),
        }
    }

    /// The tests to run first: those of the crate that the file is part of, unless the list names others. These are built with all features, unless the
    /// list says with which: without its feature, a test does not exist.
    pub(super) fn first_run(&self) -> String {
        match &self.run {
            None => format!("-p {}", self.file.split('/').nth(1).unwrap_or_default()),
            Some(run) if run.contains("features") => run.clone(),
            Some(run) => format!("{run} --all-features"),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let table = value.as_table().ok_or("an entry is no table")?;
        let string = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = string("name").ok_or("an entry has no `name`")?;
        let required = |key: &str| string(key).ok_or(format!("`{name}` has no `{key}`"));
        // Not read by anything: it tells the reader what an attacker would get.
        required("expect")?;
        let (file, find, replace) = (required("file")?, required("find")?, required("replace")?);
        Ok(Self { file, find, replace, run: string("run"), name })
    }
}

/// The list as it stands in the repository.
///
/// # Errors
/// When it cannot be read, an entry lacks something, or a name stands twice.
pub(super) fn load() -> Result<Vec<Weakening>, String> {
    let text = fs::read_to_string(root().join("xtask/weakenings.toml")).map_err(|error| error.to_string());
    text.and_then(|text| parse(&text)).map_err(|problem| format!("weakenings.toml: {problem}"))
}

/// Makes sure that every weakening has its one place in the files as `read` gives them.
///
/// # Errors
/// All entries that have not.
pub(super) fn check(weakenings: &[Weakening], read: impl Fn(&str) -> Result<String, String>) -> Result<(), String> {
    let problem = |weakening: &Weakening| {
        let text = read(&weakening.file).map_err(|error| format!("weakening `{}`: {error}", weakening.name));
        text.and_then(|text| weakening.weakened(&text)).err()
    };
    let problems: Vec<_> = weakenings.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn parse(text: &str) -> Result<Vec<Weakening>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    let entries = table.get("weakening").and_then(Value::as_array).ok_or("no [[weakening]]")?;
    let weakenings: Vec<_> = entries.iter().map(Weakening::parse).collect::<Result<_, _>>()?;
    for (at, weakening) in weakenings.iter().enumerate() {
        if weakenings[..at].iter().any(|earlier| earlier.name == weakening.name) {
            return Err(format!("`{}` stands twice", weakening.name));
        }
    }
    Ok(weakenings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        [[weakening]]
        name = "a"
        file = "crates/b/src/c.rs"
        find = "if is_bad"
        replace = "if false"
        expect = "bad ones pass"
    "#;

    #[test]
    fn every_entry_still_finds_its_place() {
        let weakenings = load().unwrap();
        check(&weakenings, |file| fs::read_to_string(root().join(file)).map_err(|error| error.to_string())).unwrap();
    }

    #[test]
    fn a_text_is_replaced_where_it_stands_once() {
        let weakening = parse(ENTRY).unwrap().remove(0);
        assert_eq!(weakening.weakened("{ if is_bad { return } }").unwrap(), "{ if false { return } }");
        assert!(weakening.weakened("{}").unwrap_err().contains("`a`"));
        assert!(weakening.weakened("if is_bad if is_bad").unwrap_err().contains("2 times"));
    }

    #[test]
    fn the_tests_to_run_first_are_built_with_the_features_that_they_need() {
        let first_run = |run: &str| parse(&format!("{ENTRY}{run}")).unwrap().remove(0).first_run();
        assert_eq!(first_run(""), "-p b");
        assert_eq!(first_run("run = '-p b --test d'"), "-p b --test d --all-features");
        assert_eq!(first_run("run = '-p b --no-default-features --test d'"), "-p b --no-default-features --test d");
    }

    #[test]
    fn all_that_lost_their_place_are_named() {
        let text = [ENTRY, &ENTRY.replace("\"a\"", "\"b\"")].concat();
        let problem = check(&parse(&text).unwrap(), |_| Ok(String::new())).unwrap_err();
        assert!(problem.contains("`a`") && problem.contains("`b`"), "{problem}");
    }

    #[test]
    fn an_entry_is_whole_and_stands_once() {
        assert!(parse(&ENTRY.replace("expect", "hope")).unwrap_err().contains("`expect`"));
        assert!(parse(&[ENTRY, ENTRY].concat()).unwrap_err().contains("twice"));
        assert!(parse("").is_err());
    }
}
