//! The architecture, held by machine: who may depend on whom, what no crate may reach, and what the source may say.
//!
//! The rules are data, each with its reason, in [`rules`] and [`source_rules`]; the modules beside them only compare.

mod anatomy;
mod arrows;
mod rules;
mod source_rules;
mod tree;

use crate::{
    source::{self, SourceFile},
    steps::{Done, StepResult},
    workspace::{Workspace, root},
};
use rules::RULES;
use source_rules::{ANATOMIES, PHRASES, Phrase};
use tree::Tree;

/// Compares the dependency tables of our crates with the arrows they may have.
pub(crate) fn check_arrows(workspace: &Workspace) -> StepResult {
    let members: Vec<_> = workspace.members().collect();
    let count = workspace.published().count();
    report(&arrows::problems(&members), || format!("{count} crates"))
}

/// Compares everything a crate brings along with what it must never reach, and counts it.
pub(crate) fn check_trees(workspace: &Workspace) -> StepResult {
    let (mut problems, mut counts) = (Vec::new(), Vec::new());
    for rule in RULES.iter().filter(|rule| workspace.has_member(rule.name)) {
        problems.extend(tree::problems(rule, &Tree::load(rule.name, "--all-features")?));
        let Some(most) = rule.most_packages else { continue };
        let count = Tree::load(rule.name, "")?.package_count();
        counts.push(format!("{} {count} (at most {most})", rule.name));
        if count > most {
            problems.push(format!("{} brings {count} packages by default, more than {most}", rule.name));
        }
    }
    report(&problems, || format!("packages by default: {}", counts.join(", ")))
}

/// Looks for what may stand in one place only, and compares folders that have to be alike.
pub(crate) fn check_source() -> StepResult {
    let files = source::load(&root())?;
    let mut problems = PHRASES.iter().flat_map(|phrase| misplaced(phrase, &files)).collect::<Vec<_>>();
    problems.extend(ANATOMIES.iter().flat_map(|anatomy| anatomy::problems(anatomy, &files)));
    report(&problems, || format!("{} files", files.len()))
}

/// Holds files to a length that can be read in one go.
pub(crate) fn check_lengths() -> StepResult {
    let files = source::load(&root())?;
    let lengths = source::Lengths::of(&files);
    report(&lengths.problems(), || lengths.to_string())
}

/// Where `phrase` stands and should not.
fn misplaced(phrase: &Phrase, files: &[SourceFile]) -> Vec<String> {
    let applies = |file: &&SourceFile| {
        phrase.within.iter().any(|folder| file.path.starts_with(folder)) && !phrase.except.contains(&file.path.as_str())
    };
    let lines = files.iter().filter(applies).flat_map(|file| file.code_lines().map(move |line| (file, line)));
    lines
        .filter(|(_, (_, code))| code.contains(phrase.text))
        .map(|(file, (number, _))| format!("{}:{number}: `{}`: {}", file.path, phrase.text, phrase.reason))
        .collect()
}

fn report(problems: &[String], note: impl FnOnce() -> String) -> StepResult {
    if problems.is_empty() {
        Ok(Done::note(note()))
    } else {
        Err(format!("against the architecture:\n    {}", problems.join("\n    ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHRASE: Phrase =
        Phrase { text: "thread::spawn", within: &["crates/a/src/"], except: &["crates/a/src/owner.rs"], reason: "why" };

    #[test]
    fn a_phrase_is_found_where_it_should_not_stand() {
        let file = SourceFile::new("crates/a/src/lib.rs", "// thread::spawn\nfn f() {\n    thread::spawn(g);\n}\n");
        assert_eq!(misplaced(&PHRASE, &[file]), ["crates/a/src/lib.rs:3: `thread::spawn`: why"]);
    }

    #[test]
    fn comments_text_tests_and_the_one_right_place_are_left_alone() {
        let rows = [
            ("crates/a/src/lib.rs", "/// thread::spawn\nconst TEXT: &str = \"thread::spawn\";\n"),
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests {\n    fn f() { thread::spawn(g); }\n}\n"),
            ("crates/a/src/owner.rs", "fn f() { thread::spawn(g); }\n"),
            ("crates/b/src/lib.rs", "fn f() { thread::spawn(g); }\n"),
        ];
        for (path, text) in rows {
            assert_eq!(misplaced(&PHRASE, &[SourceFile::new(path, text)]), [""; 0], "{path}: {text}");
        }
    }
}
