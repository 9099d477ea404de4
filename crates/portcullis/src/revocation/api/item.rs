//! Reads one item of a revocation request.

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    policy::Leeway,
    revocation::{Level, Revocation},
};
use serde_json::Value;

use super::members::Members;

/// What is wrong with an item, and how to correct it. Contains none of its values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ItemMistake {
    /// The member; `None` if the item as a whole is wrong.
    pub(super) member: Option<String>,
    pub(super) detail: String,
}

/// The times that an item is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: UnixTime,
    /// The largest leeway of the trusted issuers.
    pub(super) leeway: Leeway,
}

/// How long ago a token may have expired: it can still be accepted within the largest leeway.
const LONGEST_LEEWAY: Duration = Leeway::MAX.as_duration();

/// The greatest integer that every JSON reader reads exactly (RFC 8259 section 6), with room above it for later versions.
const LATEST_VERSION: u64 = 1 << 53;

/// Returns the revocation, or everything that is wrong with the item.
pub(super) fn read(members: &Members, times: Times) -> Result<Revocation, Vec<ItemMistake>> {
    let mut reader = Reader { members, times, mistakes: Vec::new() };
    if members.has_more {
        reader.complain(None, "the item has too many members: at most four belong to it");
        return Err(reader.mistakes);
    }
    let revocation = reader.level().and_then(|level| reader.revocation(level));
    match revocation {
        Some(revocation) if reader.mistakes.is_empty() => Ok(revocation),
        _ => Err(reader.mistakes),
    }
}

struct Reader<'a> {
    members: &'a Members,
    times: Times,
    mistakes: Vec<ItemMistake>,
}

impl<'a> Reader<'a> {
    fn level(&mut self) -> Option<Level> {
        let named = self.members.get("level").and_then(Value::as_str);
        let level = Level::ALL.into_iter().find(|level| Some(level.as_str()) == named && !fields(*level).is_empty());
        if level.is_none() {
            let known = Level::ALL.map(|level| format!("`{level}`")).join(", ");
            self.complain(Some("level"), &format!("`level` has to be one of {known}"));
        }
        level
    }

    fn revocation(&mut self, level: Level) -> Option<Revocation> {
        self.check_names(level);
        let issuer = self.text("issuer", "the issuer, exactly as in its tokens' `iss`");
        let id = match level {
            Level::Issuer => Some(""),
            _ => self.text("id", claim_of(level)),
        };
        let number = match level {
            Level::Token => self.expiry(),
            Level::Subject | Level::Client | Level::Issuer => self.cut_off(),
            Level::Version => self.version(),
            Level::Session | Level::Key => Some(0),
            _ => None,
        };
        let (issuer, id, number) = (issuer?, id?, number?);
        let instant = UnixTime::from_secs(number);
        match level {
            Level::Token => Some(Revocation::token(issuer, id, instant)),
            Level::Session => Some(Revocation::session(issuer, id)),
            Level::Subject => Some(Revocation::subject(issuer, id, instant)),
            Level::Version => Some(Revocation::version(issuer, id, number)),
            Level::Client => Some(Revocation::client(issuer, id, instant)),
            Level::Key => Some(Revocation::key(issuer, id)),
            Level::Issuer => Some(Revocation::issuer(issuer, instant)),
            _ => None,
        }
    }

    /// Unknown members are refused, because ignoring one would ignore part of the administrator's intention.
    fn check_names(&mut self, level: Level) {
        for name in self.members.names() {
            if self.members.is_repeated(name) {
                self.complain(Some(name), "the member occurs twice: leave one out");
            }
            if name != "level" && !fields(level).contains(&name) {
                let fields = fields(level).join("`, `");
                self.complain(Some(name), &format!("level `{level}` has no such member, but `{fields}`: leave it out"));
            }
        }
    }

    fn text(&mut self, name: &str, what: &str) -> Option<&'a str> {
        let members = self.members;
        match members.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => return Some(text),
            Some(Value::String(_)) => self.complain(Some(name), &format!("`{name}` is empty: give {what}")),
            Some(_) => self.complain(Some(name), &format!("`{name}` has to be text: {what}")),
            None => self.complain(Some(name), &format!("`{name}` is missing: give {what}")),
        }
        None
    }

    fn expiry(&mut self) -> Option<u64> {
        let what = "the token's `exp`, in seconds since 1970";
        let expiry = self.time("expires_at", what, None)?;
        if expiry < self.times.now.minus(LONGEST_LEEWAY).as_secs() {
            self.complain(
                Some("expires_at"),
                &format!("`expires_at` has long passed, so that the token is refused anyway: give {what}"),
            );
            return None;
        }
        Some(expiry)
    }

    fn cut_off(&mut self) -> Option<u64> {
        // The default includes the leeway: an issuer whose clock is ahead has put later times into tokens that it has already issued.
        let default = Revocation::cut_off_at(self.times.now, self.times.leeway);
        let cut_off = self.time("cut_off", "seconds since 1970, or leave it out for now", Some(default))?;
        // A given cut-off may be as far in the future as the `iat` of any token that is accepted now.
        if cut_off > Revocation::cut_off_at(self.times.now, Leeway::MAX).as_secs() {
            self.complain(
                Some("cut_off"),
                "`cut_off` is more than five minutes in the future and would revoke what is not issued yet: leave it out \
                 for now",
            );
            return None;
        }
        Some(cut_off)
    }

    fn version(&mut self) -> Option<u64> {
        let what = "the version of the subject's next token, a whole number of at least 1";
        self.number("current", what).filter(|&current| {
            if current == 0 {
                self.complain(Some("current"), &format!("`current` is 0, and no version is below that: give {what}"));
            }
            if current > LATEST_VERSION {
                self.complain(
                    Some("current"),
                    &format!("`current` is beyond 2^53, which many programs cannot read: give {what}"),
                );
            }
            (1..=LATEST_VERSION).contains(&current)
        })
    }

    fn time(&mut self, name: &str, what: &str, default: Option<UnixTime>) -> Option<u64> {
        match default {
            Some(default) if self.members.get(name).is_none() => return Some(default.as_secs()),
            _ => {}
        }
        let seconds = self.number(name, what)?;
        if seconds > UnixTime::MAX.as_secs() {
            self.complain(
                Some(name),
                &format!("`{name}` is beyond the year 9999, as milliseconds would be: give {what}"),
            );
            return None;
        }
        Some(seconds)
    }

    fn number(&mut self, name: &str, what: &str) -> Option<u64> {
        let value = self.members.get(name);
        let number = value.and_then(Value::as_u64);
        match value {
            None => self.complain(Some(name), &format!("`{name}` is missing: give {what}")),
            Some(_) if number.is_none() => {
                self.complain(Some(name), &format!("`{name}` has to be a whole number: {what}"));
            }
            Some(_) => {}
        }
        number
    }

    fn complain(&mut self, member: Option<&str>, detail: &str) {
        self.mistakes.push(ItemMistake { member: member.map(str::to_owned), detail: detail.to_owned() });
    }
}

/// Returns the members of an item of this level, besides `level`; none for a level that is newer than this crate.
fn fields(level: Level) -> &'static [&'static str] {
    match level {
        Level::Token => &["issuer", "id", "expires_at"],
        Level::Session | Level::Key => &["issuer", "id"],
        Level::Subject | Level::Client => &["issuer", "id", "cut_off"],
        Level::Version => &["issuer", "id", "current"],
        Level::Issuer => &["issuer", "cut_off"],
        _ => &[],
    }
}

/// Returns which claim `id` is. A test checks that every level of this crate has one.
fn claim_of(level: Level) -> &'static str {
    match level {
        Level::Token => "the token's `jti`",
        Level::Session => "the session's `sid`",
        Level::Client => "the client's `client_id`",
        Level::Key => "the key's `kid`",
        Level::Subject | Level::Version => "the subject's `sub`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Level` is in another crate and non-exhaustive, so the compiler does not find a match that lacks a new level.
    #[test]
    fn every_level_has_its_members() {
        for level in Level::ALL {
            assert!(fields(level).contains(&"issuer"), "{level}");
            assert!(level == Level::Issuer || !claim_of(level).is_empty(), "{level}");
        }
    }
}
