//! All items of a request to revoke.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::{Revocation, UnixTime};

use super::{
    failure::Failure,
    item::{self, ItemMistake},
    members::Items,
};
use crate::rejection::Mistake;

/// Twice what a log is given at once, so that the whole is written within the time for which that is tried.
const MOST: usize = 1000;

/// All of them, or everything that is wrong with them.
pub(super) fn read(items: &Items, now: UnixTime) -> Result<Vec<Revocation>, Failure> {
    let items = match items {
        Items::One(item) => return item::read(item, now).map(|one| vec![one]).map_err(only),
        Items::Several(items) => items,
    };
    if items.is_empty() || items.len() > MOST {
        let count = items.len();
        return Err(Failure::Request(format!("the array has {count} items: send 1 to {MOST} at once")));
    }
    let (mut revocations, mut mistakes) = (Vec::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        match item::read(item, now) {
            Ok(revocation) => revocations.push(revocation),
            Err(wrong) => mistakes.extend(wrong.into_iter().map(|mistake| place_of(&format!("#/{place}"), mistake))),
        }
    }
    if mistakes.is_empty() { Ok(revocations) } else { Err(Failure::Items(mistakes)) }
}

fn only(wrong: Vec<ItemMistake>) -> Failure {
    Failure::Items(wrong.into_iter().map(|mistake| place_of("#", mistake)).collect())
}

/// Says where in the body it is.
fn place_of(item: &str, mistake: ItemMistake) -> Mistake {
    let pointer = match mistake.member {
        Some(name) => format!("{item}/{}", step(&name)),
        None => item.to_owned(),
    };
    Mistake { pointer, detail: mistake.detail }
}

/// What stands in a URI fragment as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A member's name as a step of a JSON pointer (RFC 6901 sections 3 and 6). Whatever is longer than any of ours is cut.
fn step(name: &str) -> String {
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let name = name.replace('~', "~0").replace('/', "~1");
    utf8_percent_encode(&name, ESCAPED).to_string()
}

const LONGEST_NAME: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_says_where_it_is() {
        let place = |item: &str, member: Option<&str>| {
            let mistake = ItemMistake { member: member.map(str::to_owned), detail: String::new() };
            place_of(item, mistake).pointer
        };
        assert_eq!(place("#", Some("cut_off")), "#/cut_off");
        assert_eq!(place("#/17", Some("id")), "#/17/id");
        assert_eq!(place("#/17", None), "#/17");
        assert_eq!(place("#", Some("a/b~c d\u{e9}")), "#/a~1b~0c%20d%C3%A9");
        assert_eq!(place("#", Some(&"x".repeat(99))).len(), 2 + LONGEST_NAME);
    }
}
