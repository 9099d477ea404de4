//! What revocation costs: the view at four sizes (memory, look-ups, what it adds to a request), and how long a process that starts needs to
//! read a log of a million entries.

mod logs;
mod view;

use portcullis_benches::Options;

fn main() {
    let options = Options::from_args();
    let sizes: &[usize] = if options.quick { &[1_000, 100_000] } else { &[1_000, 100_000, 1_000_000, 10_000_000] };
    println!(
        "| entries | bytes each: tokens | subjects | absent id ns | present ns | + cold ns | + cold, cached ns | + warm ns | merge ns | longest wait µs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for &entries in sizes {
        view::row(&options, entries);
    }
    println!("\n| log | entries | written in s | read by a process that starts in s |");
    println!("|---|---:|---:|---:|");
    logs::rows(&options, if options.quick { 20_000 } else { 1_000_000 });
}
