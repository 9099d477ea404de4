//! Credentials files: F.

use serde_json::{Value, json};

use super::{
    Rows,
    world::{id, key, token, user},
};

pub(super) fn add(rows: &mut Rows) {
    both(rows);
    seeds(rows);
}

/// A token and a seed.
fn both(rows: &mut Rows) {
    let jwt = token("acc", &user_claims());
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

fn user_claims() -> Value {
    user("acc", "user", &json!({}))
}

/// Files of which the seed alone is read.
fn seeds(rows: &mut Rows) {
    let [user, account, operator] = ["user", "acc", "op"].map(|label| key(label).seed());
    let [user, account, operator] = [user.reveal(), account.reveal(), operator.reveal()];
    let server = key("n").seed();
    let jwt = token("acc", &user_claims());
    let block = |content: &str| format!("---a---\n{content}\n---b---\n");
    let mut with = |why: &str, text: &str, seed: Option<&str>| rows.add_seed(&["F5"], why, text, seed);
    with("the seed of a user", user, Some(user));
    with("the seed of an account", account, Some(account));
    with("the seed of an operator", operator, Some(operator));
    with("a line end behind it", &format!("{user}\n"), Some(user));
    with("CRLF behind it", &format!("{user}\r\n"), Some(user));
    with("lines around it", &format!("# a key\n\n{user}\nU\n"), Some(user));
    with("the first of two", &format!("{account}\n{user}\n"), Some(account));
    with("one block", &block(user), Some(user));
    with("the second block", &format!("{}{}", block(&jwt), block(user)), Some(user));
    with("the second block of three", &format!("{}{}{}", block(&jwt), block(user), block(account)), Some(user));
    with("the second block, not a line in front", &format!("{account}\n{}{}", block(&jwt), block(user)), Some(user));
    with("two blocks of which the first is the seed", &format!("{}{}", block(user), block(&jwt)), None);
    with("nothing", "", None);
    with("a public key", &id("user"), None);
    with("the seed of a server", server.reveal(), None);
    with("a blank in front of it", &format!(" {user}"), None);
    with("a blank behind it", &format!("{user} "), None);
    with("in lower case", &user.to_lowercase(), None);
    with("a word that begins as a seed does", &format!("SUMMARY\n{user}\n"), None);
}
