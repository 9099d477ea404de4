//! What the benchmarks write for machines: one JSON object a line.

use serde_json::Value;

/// Times of requests.
#[derive(Debug)]
pub(super) struct Results(Vec<Timed>);

#[derive(Debug)]
struct Timed {
    group: String,
    bar: Bar,
}

/// What took how long.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) ns: f64,
}

impl Results {
    /// Reads the lines of one run.
    ///
    /// # Errors
    /// When a line is no time of something in some group.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let timed = |line: &str| Timed::parse(line).ok_or_else(|| format!("no result of a benchmark: {line}"));
        text.lines().map(timed).collect::<Result<_, _>>().map(Self)
    }

    /// One part of the benchmark, in the order of its table.
    pub(super) fn group(&self, name: &str) -> Vec<Bar> {
        self.0.iter().filter(|timed| timed.group == name).map(|timed| timed.bar.clone()).collect()
    }
}

impl Timed {
    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self { group: text("group")?, bar: Bar { name: text("name")?, ns: value["ns"].as_f64()? } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_order() {
        let text = r#"{"bench":"b","group":"one","name":"z","ns":2.0,"allocations":3}
{"bench":"b","group":"two","name":"a","ns":4}
{"bench":"b","group":"one","name":"b","ns":1.0}"#;
        let bar = |name: &str, ns| Bar { name: name.to_owned(), ns };
        assert_eq!(Results::parse(text).unwrap().group("one"), [bar("z", 2.0), bar("b", 1.0)]);
    }

    #[test]
    fn a_line_that_is_no_time_is_refused() {
        for line in ["nothing", "{}", r#"{"group":"g","name":"n","ns":"1"}"#] {
            assert!(Results::parse(line).unwrap_err().contains(line));
        }
    }
}
