//! Credentials files: octets as the whole text, around a right one, and within one.

use portcullis_nats::creds::Creds;

/// What is read holds the token and the seed that stand in the text, and no other.
pub fn check(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    check_text(text);
    for around in [format!("{text}\n{RIGHT}"), format!("{RIGHT}{text}"), format!("{RIGHT}\n{text}")] {
        check_text(&around);
    }
    // Behind the two blocks nothing counts.
    assert!(Creds::parse(&format!("{RIGHT}\n{text}")).is_ok(), "{text:?}");
    for line in RIGHT.lines().filter(|line| !line.is_empty()) {
        check_text(&RIGHT.replacen(line, text, 1));
    }
}

fn check_text(text: &str) {
    let Ok(creds) = Creds::parse(text) else { return };
    let seed = creds.key().seed();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    let is_border = |line: &str| line.starts_with("---") && line.ends_with("---");
    let is_block =
        |at: usize, wanted: &str| is_border(lines[at - 1]) && lines[at] == wanted && is_border(lines[at + 1]);
    let mut blocks = 1..lines.len().saturating_sub(1);
    assert!(blocks.any(|at| is_block(at, creds.token())), "no block has this token: {text:?}");
    assert!(blocks.any(|at| is_block(at, seed.reveal())), "no block behind it has this seed: {text:?}");
    let again = Creds::parse(&creds.format()).expect("what is written is read");
    assert_eq!((again.token(), again.key().seed().reveal()), (creds.token(), seed.reveal()));
    assert!(!format!("{creds:?}").contains(seed.reveal()));
}

/// The credentials file of a test key.
const RIGHT: &str = include_str!("../corpus/creds/right");
