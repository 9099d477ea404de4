//! What revocation costs: the view at four sizes (memory, look-ups, what it adds to a request), one in which all levels are in use, and how
//! long a process that starts needs to read a log of a million entries.

mod logs;
mod mixed;
mod view;

use std::process::ExitCode;

use portcullis_benches::{Budgets, Options};

fn main() -> ExitCode {
    let options = Options::from_args();
    let mut budgets = Budgets::new(&options);
    if std::env::args().any(|word| word == "mixed") {
        mixed(&options, &mut budgets);
        return budgets.close();
    }
    let sizes: &[usize] = if options.quick { &[1_000, 100_000] } else { &[1_000, 100_000, 1_000_000, 10_000_000] };
    println!(
        "| entries | bytes each: tokens | subjects | absent id ns | present ns | + cold ns | + cold, cached ns | + warm ns | merge ns | longest wait µs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut rows = Vec::new();
    for &entries in sizes {
        rows.push((entries, view::row(&options, entries)));
    }
    mixed(&options, &mut budgets);
    println!("\n| log | entries | written in s | read by a process that starts in s |");
    println!("|---|---:|---:|---:|");
    let read = logs::rows(&options, if options.quick { 20_000 } else { 1_000_000 });
    println!();
    for (_, row) in rows.iter().filter(|(entries, _)| *entries == 1_000_000) {
        row.judge(&mut budgets);
    }
    for (log, seconds) in read {
        let budget = if log == "redb" { 1.0 } else { 5.0 };
        let line = format!("{log}: a million entries are read in {seconds:.2} s (budget {budget} s, noise 10 %)");
        budgets.judge(&line, seconds <= budget * 1.1);
    }
    budgets.close()
}

/// `cargo bench --bench revocation -- mixed` measures this part alone.
fn mixed(options: &Options, budgets: &mut Budgets) {
    println!("\n| a view with all levels | entries | single level ns | mixed ns | times |");
    println!("|---|---:|---:|---:|---:|");
    for (name, ns) in mixed::rows(options, if options.quick { 100_000 } else { 1_000_000 }) {
        let line = format!("first hit after a change of {name}: {ns:.0} ns beyond a hit (budget 150 ns, noise 10 %)");
        budgets.judge(&line, ns <= 165.0);
    }
}
