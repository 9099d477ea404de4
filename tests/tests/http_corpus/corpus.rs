//! The corpus as it is written; see the README beside the shared vectors.

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
pub(crate) struct Corpus {
    pub(crate) config: Config,
    pub(crate) cases: Vec<Case>,
}

/// How the server under test is to be set up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) clock: ClockConfig,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) algorithms: Vec<String>,
    pub(crate) jwks: serde_json::Value,
    pub(crate) secrets: Vec<SecretConfig>,
    pub(crate) leeway_seconds: u64,
    pub(crate) required_claims: Vec<String>,
    pub(crate) accepted_typ: Vec<Option<String>>,
    pub(crate) required_scope: String,
    pub(crate) realm: String,
    pub(crate) max_token_bytes: usize,
    pub(crate) query_token: bool,
}

/// Only `now` matters: with a pinned clock no case ever goes stale.
#[derive(Debug, Deserialize)]
pub(crate) struct ClockConfig {
    pub(crate) now: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SecretConfig {
    pub(crate) kid: String,
    pub(crate) alg: String,
    pub(crate) k: String,
}

/// One request and what is to come of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) group: String,
    /// Each character stands for one octet.
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default = "root")]
    pub(crate) target: String,
    pub(crate) requires: Option<Requirement>,
    expect: Outcome,
    #[serde(default)]
    any_of: Vec<Outcome>,
    #[serde(default)]
    pub(crate) policy: bool,
}

/// What kind of setup a case is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum Requirement {
    #[serde(rename = "query_token:on")]
    QueryOn,
    #[serde(rename = "query_token:off")]
    QueryOff,
}

/// An answer, as far as the corpus cares.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// The `error` of the Bearer challenge.
    pub(crate) error: Option<String>,
}

impl Corpus {
    /// The committed copy.
    pub(crate) fn load() -> Self {
        serde_json::from_str(TEXT).unwrap()
    }
}

impl Case {
    /// The outcomes of which any is right, the recommended one first.
    pub(crate) fn right(&self) -> &[Outcome] {
        if self.any_of.is_empty() { std::slice::from_ref(&self.expect) } else { &self.any_of }
    }

    /// The headers as octets.
    pub(crate) fn header_octets(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        self.headers.iter().map(|(name, value)| (octets(name), octets(value)))
    }
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn root() -> String {
    "/".to_owned()
}

pub(crate) const TEXT: &str = include_str!("../../vectors/http-corpus.json");
