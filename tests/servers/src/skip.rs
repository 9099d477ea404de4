//! Saying that a test is left out, so that it is seen.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    thread,
};

/// Says that the running test is left out because something that it needs is not there.
///
/// `needs` is the name of what is missing, `why` says where it was looked for and how to get it. Both go to the standard
/// error, and as a line to the file that `PORTCULLIS_SKIPS` names: `cargo xtask test` sets it, and ends with a list of
/// everything that was not run.
///
/// # Panics
///
/// If that file cannot be written, because an unnoticed skip is a failure.
pub fn skip(needs: &str, why: &str) {
    let test = format!(
        "{}::{}",
        env::var("CARGO_PKG_NAME").unwrap_or_default(),
        thread::current().name().unwrap_or("unnamed thread")
    );
    let _ = writeln!(io::stderr().lock(), "skipped: no {needs}: {why}");
    let Some(file) = env::var_os("PORTCULLIS_SKIPS") else { return };
    let file = OpenOptions::new().create(true).append(true).open(file);
    // one write, so that lines of tests that run at the same time do not mix
    file.and_then(|mut file| file.write_all(line(needs, &test, why).as_bytes())).expect("the list of skips");
}

fn line(needs: &str, test: &str, why: &str) -> String {
    let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    format!("{}\t{}\t{}\n", plain(needs), plain(test), plain(why))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_skip_is_one_line_of_three_fields() {
        assert_eq!(line("nats-server", "a::b", "not\n\there"), "nats-server\ta::b\tnot  here\n");
    }
}
