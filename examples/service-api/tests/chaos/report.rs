//! The table of what was killed, and what became of it.

use std::{fmt::Write as _, time::Duration};

/// What became of one kind of kills with one log.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) log: &'static str,
    pub(crate) killed: &'static str,
    pub(crate) kills: usize,
    pub(crate) acknowledged: usize,
    /// Accepted by an instance in the end.
    pub(crate) lost: usize,
    /// Accepted by the other instance for longer than it may.
    pub(crate) late: usize,
    /// Requests to which nothing came, neither an answer nor the end of the connection.
    pub(crate) unanswered: usize,
    /// How often valid tokens were served again later than they have to be.
    pub(crate) slow: usize,
    pub(crate) lag: Timings,
    pub(crate) served_again: Timings,
}

#[derive(Debug)]
pub(crate) struct Timings(Vec<Duration>);

impl Timings {
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self(all)
    }

    /// In milliseconds.
    fn at(&self, percent: usize) -> String {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or("-".to_owned(), |time| format!("{:.0}", time.as_secs_f64() * 1000.0))
    }
}

/// In Markdown.
pub(crate) fn table(rows: &mut [Row], wanted: usize) -> String {
    rows.sort_by(|a, b| (a.log, b.killed).cmp(&(b.log, a.killed)));
    let mut table = "| log | killed | kills | acknowledged | lost | late | unanswered | slow | lag p50 / p99 / max, ms | valid tokens served again p50 / p99 / max, ms |\n\
                     |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for row in rows {
        let kills = if row.kills < wanted { format!("{} (out of time)", row.kills) } else { row.kills.to_string() };
        let three = |timings: &Timings| [50, 99, 100].map(|percent| timings.at(percent)).join(" / ");
        let Row { log, killed, acknowledged, lost, late, unanswered, slow, .. } = row;
        let (lag, again) = (three(&row.lag), three(&row.served_again));
        let _ = writeln!(
            table,
            "| {log} | {killed} | {kills} | {acknowledged} | {lost} | {late} | {unanswered} | {slow} | {lag} | {again} |"
        );
    }
    table
}
