//! A token as it is planned; its text depends on the time.

use portcullis_test::MockIssuer;

use super::keys::{Key, Signer};

pub(crate) const ISSUER: &str = "https://login.example.com";
pub(crate) const AUDIENCE: &str = "https://orders.example.com";
pub(crate) const LEEWAY: u64 = 30;

/// A plan for a token, members in order and possibly twice.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) key: Key,
    pub(crate) signer: Signer,
    pub(crate) header: Part,
    pub(crate) claims: Part,
    pub(crate) wire: Vec<Wire>,
}

/// One of the two JSON parts.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) members: Vec<(String, Value)>,
    pub(crate) form: Form,
}

/// The value of a member.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// JSON text, or what claims to be.
    Json(String),
    /// So many seconds from now, and the text that follows the digits.
    Time(i64, &'static str),
}

/// What becomes of the members.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Object,
    /// The values alone, in the order in which jsonwebtoken's claims are declared.
    Array,
    /// The object with other text before and behind it.
    Within(&'static str, &'static str),
    /// The object with one byte replaced.
    Replaced(usize, u8),
}

/// What happens to the text after it was signed.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Replace(usize, char),
    Insert(usize, char),
    Remove(usize),
    Append(&'static str),
}

impl Token {
    /// A good token.
    pub(crate) fn good(key: Key) -> Self {
        let text = |text: &str| Value::Json(format!("{text:?}"));
        let members = [("alg", text(key.algorithm().name())), ("typ", text("JWT")), ("kid", text(&key.id()))];
        let claims = [
            ("iss", text(ISSUER)),
            ("aud", text(AUDIENCE)),
            ("sub", text("alice")),
            ("exp", Value::Time(300, "")),
            ("iat", Value::Time(-5, "")),
        ];
        Self { key, signer: Signer::Issuer, header: Part::new(members), claims: Part::new(claims), wire: Vec::new() }
    }

    /// The text at that time.
    pub(crate) fn mint(&self, signer: &MockIssuer, now: u64) -> String {
        let token = signer.token().raw_header(self.header.octets(now)).raw_claims(self.claims.octets(now));
        let mut chars: Vec<char> = token.sign().chars().collect();
        for wire in &self.wire {
            wire.apply(&mut chars);
        }
        chars.into_iter().collect()
    }
}

impl Part {
    fn new<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self { members: members.map(|(name, value)| (name.to_owned(), value)).into(), form: Form::Object }
    }

    /// Gives the member that value, or takes it away.
    pub(crate) fn set(&mut self, name: &str, value: Option<Value>) {
        self.members.retain(|(other, _)| other != name);
        self.members.extend(value.map(|value| (name.to_owned(), value)));
    }

    fn octets(&self, now: u64) -> Vec<u8> {
        let members = self.members.iter().map(|(name, value)| format!("\"{name}\":{}", value.json(now)));
        let object = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        match self.form {
            Form::Object => object.into(),
            Form::Array => self.array(now).into(),
            Form::Within(before, behind) => format!("{before}{object}{behind}").into(),
            Form::Replaced(at, byte) => {
                let mut octets = object.into_bytes();
                let at = at % octets.len();
                octets[at] = byte;
                octets
            }
        }
    }

    fn array(&self, now: u64) -> String {
        let values = ["exp", "nbf", "sub", "iss", "aud"].map(|name| {
            let member = self.members.iter().find(|(other, _)| other == name);
            member.map_or_else(|| "null".to_owned(), |(_, value)| value.json(now))
        });
        format!("[{}]", values.join(","))
    }
}

impl Value {
    fn json(&self, now: u64) -> String {
        match self {
            Self::Json(text) => text.clone(),
            Self::Time(from_now, fraction) => format!("{}{fraction}", now.saturating_add_signed(*from_now)),
        }
    }
}

impl Wire {
    fn apply(&self, chars: &mut Vec<char>) {
        match *self {
            Self::Replace(at, char) => {
                let at = at % chars.len();
                chars[at] = char;
            }
            Self::Insert(at, char) => chars.insert(at % chars.len(), char),
            Self::Remove(at) => {
                chars.remove(at % chars.len());
            }
            Self::Append(text) => chars.extend(text.chars()),
        }
    }
}
