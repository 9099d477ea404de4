//! Explains why claims are malformed: reads them again, slowly, to name the claim and the problem.

use std::{cell::RefCell, collections::HashSet, fmt};

use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::numeric_date::NumericDate;
use crate::json::{Kind, Loose, LooseSeed, MemberName, Source, violation_in};

/// Returns why [`RegisteredClaims::parse`](super::RegisteredClaims::parse) refused this text. It quotes only names of claims, because
/// anyone can send such a text.
#[cold]
pub(super) fn explain(json: &str) -> String {
    let source = Source::new(json);
    let finding = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = deserializer.deserialize_any(Claims { source: &source, finding: &finding });
    if let Some(finding) = finding.take() {
        return finding;
    }
    match read.and_then(|()| deserializer.end()) {
        Err(error) if error.is_data() => "the claims are not one JSON object".to_owned(),
        Err(error) => format!("the claims are not JSON, from column {} on", error.column()),
        // The strict parser refused it, but this walk found no problem.
        Ok(()) => wrong("aud", "an array that contains something other than strings", AUDIENCE),
    }
}

const AUDIENCE: &str = "a string or an array of strings";
const TEXT: &str = "a string";
const TIME: &str = "a number of seconds since 1970";

struct Claims<'a, 'de> {
    source: &'a Source<'de>,
    finding: &'a RefCell<Option<String>>,
}

impl Claims<'_, '_> {
    /// Records what was found, and ends the reading.
    fn found<E: de::Error>(&self, finding: String) -> E {
        self.finding.replace(Some(finding));
        E::custom("found")
    }
}

impl<'de> Visitor<'de> for Claims<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<MemberName<'de>>()? {
            let claim = Shown(name.as_str());
            if !names.insert(name.as_str().to_owned()) {
                return Err(self.found(format!("{claim} stands twice")));
            }
            if name.is_reserved() {
                return Err(self.found("a claim has a name that serde_json keeps to itself".to_owned()));
            }
            let value =
                members.next_value_seed(LooseSeed::below(1, self.source)).map_err(
                    |error: A::Error| match violation_in(&error) {
                        Some(violation) => self.found(format!("{claim}: {violation}")),
                        None => error,
                    },
                )?;
            if let Some(finding) = wrong_type(name.as_str(), value) {
                return Err(self.found(finding));
            }
        }
        Ok(())
    }
}

/// Returns what is wrong with the type of a claim that is read for every token.
fn wrong_type(claim: &str, value: Loose) -> Option<String> {
    match claim {
        "iss" | "sub" if value.kind() != Kind::Text => Some(wrong(claim, value.kind(), TEXT)),
        "aud" if !matches!(value.kind(), Kind::Text | Kind::Array) => Some(wrong(claim, value.kind(), AUDIENCE)),
        "exp" | "nbf" | "iat" if NumericDate::of(value).is_none() => match value.kind() {
            Kind::Number => Some(wrong(claim, "negative or beyond the year 9999, as milliseconds are", TIME)),
            kind => Some(wrong(claim, kind, TIME)),
        },
        _ => None,
    }
}

fn wrong(claim: &str, found: impl fmt::Display, form: &str) -> String {
    format!("claim `{claim}` is {found}: it has to be {form}")
}

/// A claim's name, unless it could be something other than a name: the client chose it.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:./~@#".contains(&byte);
        if self.0.len() <= 64 && !self.0.is_empty() && self.0.bytes().all(is_plain) {
            write!(f, "claim `{}`", self.0)
        } else {
            f.write_str("a claim whose name is left out here")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_and_the_problem_are_named() {
        let deep = format!(r#"{{"scp":{}{}}}"#, "[".repeat(40), "]".repeat(40));
        for (json, explanation) in [
            (r#"{"sub":1234}"#, "claim `sub` is a number: it has to be a string"),
            (r#"{"iss":["i"]}"#, "claim `iss` is an array: it has to be a string"),
            (r#"{"aud":{"a":1}}"#, "claim `aud` is an object: it has to be a string or an array of strings"),
            (
                r#"{"aud":["a",7]}"#,
                "claim `aud` is an array that contains something other than strings: it has to be a string or an array of strings",
            ),
            (r#"{"exp":"3"}"#, "claim `exp` is a string: it has to be a number of seconds since 1970"),
            (
                r#"{"exp":1795323002000}"#,
                "claim `exp` is negative or beyond the year 9999, as milliseconds are: it has to be a number of seconds since 1970",
            ),
            (r#"{"exp":1,"exp":2}"#, "claim `exp` stands twice"),
            (r#"{"tenant":"secret","\u0074enant":2}"#, "claim `tenant` stands twice"),
            (r#"{"profile":{"secret":1,"secret":2}}"#, "claim `profile`: an object in it has a member twice"),
            (deep.as_str(), "claim `scp`: it nests too deep: 32 levels are the limit"),
            (
                r#"{"a b":{"secret":1,"secret":2}}"#,
                "a claim whose name is left out here: an object in it has a member twice",
            ),
            ("[1]", "the claims are not one JSON object"),
            (r#"{"a":1} {}"#, "the claims are not JSON, from column 9 on"),
            (r#"{"a":}"#, "the claims are not JSON, from column 6 on"),
        ] {
            assert_eq!(explain(json), explanation, "{json}");
        }
    }
}
