//! The command line of every benchmark, and the file for charts of the results.

use std::{env, fs::OpenOptions, io::Write, path::PathBuf, time::Duration};

use serde_json::{Value, json};

/// `--quick` to see that everything works, `--json FILE` to add one JSON object per result to a file.
pub struct Options {
    /// Fewer and shorter rounds: numbers to look at, not to keep.
    pub quick: bool,
    json: Option<PathBuf>,
}

impl Options {
    /// Reads the command line; what cargo adds to it is ignored.
    pub fn from_args() -> Self {
        let mut options = Self { quick: false, json: None };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = words.next().map(PathBuf::from),
                _ => {}
            }
        }
        options
    }

    /// Rounds and the length of each contender's turn, where contenders are timed by [`measure`](crate::measure).
    pub fn rounds(&self) -> (usize, Duration) {
        if self.quick { (5, Duration::from_millis(5)) } else { (41, Duration::from_millis(20)) }
    }

    /// Adds a time to the file: `group` is the part of the benchmark, such as the algorithm.
    pub fn record_ns(&self, bench: &str, group: &str, name: &str, ns: f64, allocations: u64) {
        self.record(json!({
            "bench": bench, "group": group, "name": name, "ns": ns.round(), "allocations": allocations,
        }));
    }

    /// Adds an object to the file.
    pub fn record(&self, result: Value) {
        let Some(path) = &self.json else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the file for results");
        writeln!(file, "{result}").expect("a line is written");
    }
}
