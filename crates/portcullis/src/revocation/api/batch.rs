//! Reads all items of a revocation request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::{
    UnixTime,
    revocation::{Level, Revocation},
    verified::AnyVerified,
};

use super::{
    failure::Failure,
    item::{self, ItemMistake, Times},
    members::{Items, Members},
};
use crate::rejection::Mistake;

/// Twice the batch size of a log, so that all of it can be written within the time limit.
const MOST: usize = 1000;

/// What the items are checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<'a> {
    pub(super) times: Times,
    /// The caller: the items have to be about tokens of the caller's issuer.
    pub(super) caller: &'a AnyVerified,
    /// Whether items may be about tokens of any issuer.
    pub(super) any_issuer: bool,
}

/// Whether the revocation is about tokens of the caller's own issuer. Compared in the form that the log uses, where very long issuers are
/// hashed.
pub(super) fn is_of(revocation: &Revocation, caller: &AnyVerified) -> bool {
    Revocation::issuer(caller.issuer(), UnixTime::from_secs(0)).of_issuer() == revocation.of_issuer()
}

/// Returns all revocations, or everything that is wrong with the items.
pub(super) fn read(items: &Items, bounds: Bounds<'_>) -> Result<Vec<Revocation>, Failure> {
    let items = match items {
        Items::One(item) => return read_one(item, bounds).map(|one| vec![one]).map_err(only),
        Items::Several(items) => items,
    };
    if items.is_empty() || items.len() > MOST {
        let count = items.len();
        return Err(Failure::Request(format!("the array has {count} items: send 1 to {MOST} at once")));
    }
    let (mut revocations, mut mistakes) = (Vec::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        match read_one(item, bounds) {
            Ok(revocation) => revocations.push(revocation),
            Err(wrong) => mistakes.extend(wrong.into_iter().map(|mistake| place_of(&format!("#/{place}"), mistake))),
        }
    }
    if mistakes.is_empty() { Ok(revocations) } else { Err(Failure::Items(mistakes)) }
}

fn read_one(item: &Members, bounds: Bounds<'_>) -> Result<Revocation, Vec<ItemMistake>> {
    let Bounds { times, caller, any_issuer } = bounds;
    let revocation = item::read(item, times)?;
    let is_own = is_of(&revocation, caller);
    if !is_own && !any_issuer {
        let detail = "`issuer` is not the one that your own token is from: its own administrators revoke its tokens";
        return Err(vec![ItemMistake { member: Some("issuer".to_owned()), detail: detail.to_owned() }]);
    }
    if is_own && revocation.level() == Level::Client && caller.client_id().is_none() {
        return Err(vec![ItemMistake { member: Some("level".to_owned()), detail: names_no_client(caller) }]);
    }
    Ok(revocation)
}

/// Tokens of this issuer do not name their client at the configured place, as the caller's own token shows.
fn names_no_client(caller: &AnyVerified) -> String {
    let place = caller.client_claim().map_or_else(String::new, |pointer| format!(" at `{pointer}`"));
    format!(
        "your own token names no client{place}, so that revoking a client of this issuer would have no effect: revoke its \
         subjects or sessions, or let the service be told where the issuer writes the client's id \
         (`TrustedIssuer::client_claim`)"
    )
}

fn only(wrong: Vec<ItemMistake>) -> Failure {
    Failure::Items(wrong.into_iter().map(|mistake| place_of("#", mistake)).collect())
}

/// Adds where in the body the mistake is.
fn place_of(item: &str, mistake: ItemMistake) -> Mistake {
    let pointer = match mistake.member {
        Some(name) => format!("{item}/{}", step(&name)),
        None => item.to_owned(),
    };
    Mistake { pointer, detail: mistake.detail }
}

/// Characters that need no escaping in a URI fragment.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a member's name as a step of a JSON pointer (RFC 6901 sections 3 and 6). Names longer than any valid one are truncated.
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
