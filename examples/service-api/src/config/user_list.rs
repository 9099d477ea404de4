//! The users that the file lists.

use argon2::password_hash::phc::PasswordHash;

use super::{file::UserTable, problems::Problems};
use crate::users::{User, Users};

/// Reads every user.
pub(super) fn from_tables(tables: Vec<UserTable>, problems: &mut Problems) -> Users {
    let mut users = Users::default();
    for (at, table) in tables.into_iter().enumerate() {
        let place = format!("users#{}", at + 1);
        let Some(user) = from_table(table, &place, problems) else { continue };
        if !users.add(user) {
            problems.add(&format!("{place}.name"), "used before in this file: one entry has all of a user's roles");
        }
    }
    users
}

fn from_table(table: UserTable, place: &str, problems: &mut Problems) -> Option<User> {
    let name = table.name.filter(|name| !name.is_empty());
    let name = problems.require(&format!("{place}.name"), name, "it becomes the tokens' `sub`");
    let hash_place = format!("{place}.password_hash");
    let hash = problems.require(&hash_place, table.password_hash, "make one with `service-api --hash-password`");
    let hash = hash.and_then(|hash| {
        let parsed = PasswordHash::new(hash.text()).ok().filter(|hash| hash.algorithm.as_str().starts_with("argon2"));
        let mend = "expected a PHC string, $argon2id$…: make one with `service-api --hash-password`";
        problems.accept(&hash_place, parsed.ok_or(mend))
    });
    if !table.scopes.iter().all(|scope| is_scope(scope)) {
        let problem = "a scope has one or more printable ASCII characters, without space, `\"` and `\\` (RFC 6749 3.3)";
        problems.add(&format!("{place}.scopes"), problem);
    }
    if table.roles.iter().any(String::is_empty) {
        problems.add(&format!("{place}.roles"), "a role is not empty");
    }
    Some(User::new(name?, hash?, table.scopes, table.roles))
}

fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
