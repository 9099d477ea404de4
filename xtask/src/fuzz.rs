//! Every fuzz target: the corpus that the repository keeps replayed, which ends the same way each time, and a search for more.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    command::Run,
    steps::{Done, StepResult},
    tools,
};

/// How far a run goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    /// What is kept. A search would fail a change at random for what another one did, so the gate makes none.
    Corpus,
    /// New inputs, each target that many seconds.
    Search { seconds: u32 },
}

/// Runs each target under `fuzz/fuzz_targets`. Needs a nightly toolchain; says so where there is none.
pub(crate) fn run(root: &Path, reach: Reach) -> StepResult {
    let targets = targets(&root.join("fuzz/fuzz_targets")).map_err(|error| format!("fuzz targets: {error}"))?;
    if targets.is_empty() {
        return Ok(Done::skipped("there are no fuzz targets"));
    }
    if !tools::has_nightly() {
        return Ok(Done::skipped("no nightly toolchain (rustup toolchain install nightly)"));
    }
    if !tools::has_cargo("fuzz") && Run::cargo("install cargo-fuzz --locked").run().is_err() {
        return Ok(Done::skipped("cargo-fuzz is not installed and could not be (cargo install cargo-fuzz --locked)"));
    }
    for target in &targets {
        // A copy, because libFuzzer adds what it finds to the first folder it is given.
        let corpus = root.join("target/fuzz-corpus").join(target);
        copy_corpus(&root.join("fuzz/corpus").join(target), &corpus).map_err(|error| format!("corpus: {error}"))?;
        run_target(target, &corpus, reach).run()?;
    }
    Ok(Done::note(targets.join(", ")))
}

fn run_target(target: &str, corpus: &Path, reach: Reach) -> Run {
    let run = Run::cargo("+nightly fuzz run --fuzz-dir fuzz --target-dir target/fuzz").arg(target);
    let run = run.arg(corpus.to_string_lossy()).arg("--");
    match reach {
        Reach::Corpus => run.arg("-runs=0"),
        Reach::Search { seconds } => run.arg(format!("-max_total_time={seconds}")),
    }
}

/// Names of the targets, in order; none if there is no such folder.
fn targets(folder: &Path) -> io::Result<Vec<String>> {
    let files = files(folder)?;
    let names = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    Ok(names.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect())
}

/// Makes `to` hold the files of `from` and nothing else.
fn copy_corpus(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for file in files(from)? {
        if let Some(name) = file.file_name() {
            fs::copy(&file, to.join(name))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_targets_there_is_nothing_to_do() {
        let result = run(Path::new("/nonexistent"), Reach::Corpus);
        assert_eq!(result, Ok(Done::skipped("there are no fuzz targets")));
    }

    #[test]
    fn the_kept_corpus_is_copied_and_stays_as_it_is() {
        let folder = std::env::temp_dir().join(format!("portcullis-xtask-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(&from).unwrap();
        fs::create_dir_all(&to).unwrap();
        fs::write(from.join("kept"), "1").unwrap();
        fs::write(to.join("found last time"), "2").unwrap();
        copy_corpus(&from, &to).unwrap();
        assert_eq!(files(&to).unwrap(), [to.join("kept")]);
        assert_eq!(files(&from).unwrap(), [from.join("kept")]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_gate_replays_and_a_search_is_bounded() {
        let run = |reach| run_target("jwk", Path::new("/tmp/corpus"), reach).to_string();
        let command = "fuzz run --fuzz-dir fuzz --target-dir target/fuzz jwk /tmp/corpus --";
        assert!(run(Reach::Corpus).ends_with(&format!("{command} -runs=0")));
        assert!(run(Reach::Search { seconds: 60 }).ends_with(&format!("{command} -max_total_time=60")));
    }
}
