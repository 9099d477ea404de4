//! Credentials files: F.

use serde_json::json;

use super::{
    Rows,
    world::{key, token, user},
};

pub(super) fn add(rows: &mut Rows) {
    let jwt = token("acc", &user("acc", "user", &json!({})));
    let seed = key("user").seed();
    let seed = seed.reveal();
    let (first, second) = (format!("---a---\n{jwt}\n---b---\n"), format!("---c---\n{seed}\n---d---\n"));
    let right = Some((jwt.as_str(), seed));
    rows.add_creds(&["F1"], "two blocks", &format!("{first}{second}"), right);
    rows.add_creds(&["F1"], "no line behind the seed", &format!("{first}---c---\n{seed}\n"), None);
    rows.add_creds(&["F1"], "text behind the seed", &format!("{first}---c---\n{seed}\nd\n"), None);
    rows.add_creds(&["F1"], "no line in front of the token", &format!("{jwt}\n---b---\n{second}"), None);
    rows.add_creds(&["F1"], "the seed first", &format!("{second}{first}"), None);
    rows.add_creds(&["F2"], "an empty line is no block", &format!("---x---\n\n{first}{second}"), right);
    rows.add_creds(&["F2"], "a word is a block", &format!("---x---\nx\n{first}{second}"), None);
    let other = key("user-2").seed();
    rows.add_creds(
        &["F3"],
        "the seed of another user",
        &format!("{first}---c---\n{}\n---d---\n", other.reveal()),
        None,
    );
}
