//! [`ApiTokenFormat`]: how a token looks.

mod base62;
mod text;

use std::{fmt, ops::Range, sync::Arc};

use portcullis_core::ConfigError;

pub(super) use self::text::{RotationSeed, Unrecognised};
use super::ApiTokenKind;

/// How the tokens of one issuer look, so that people and scanners recognise them: `<prefix>_<kind>_`, and 41 letters and digits. Tokens with a prefix of
/// four letters have 48 characters.
///
/// | part | characters | what for |
/// |---|---|---|
/// | prefix | 2 to 12 | whose tokens they are |
/// | kind | 1 | [which kind](ApiTokenKind) of token |
/// | pepper | 1 | with which [pepper](super::Peppers) it was made |
/// | secret | 27 | 160 random bits |
/// | tag | 7 | 40 bits that only the issuer can compute: what others invent is refused without asking the store |
/// | checksum | 6 | CRC-32, by which scanners and people notice a typing error |
///
/// ```
/// use portcullis_issuer::api_tokens::ApiTokenFormat;
///
/// let format = ApiTokenFormat::new("acme")?;
/// assert_eq!(format.regex(), r"\bacme_[aiuse]_[0-9A-Za-z]{41}\b");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiTokenFormat {
    prefix: Arc<str>,
}

/// How many letters and digits follow the kind: pepper, secret, tag and checksum.
const BODY: usize = 41;

impl ApiTokenFormat {
    /// Returns the format of tokens that begin with `prefix` and an underscore: the name of your product, of 2 to 12 lower-case letters and digits. Do not
    /// change it later: tokens with another prefix are not recognised.
    ///
    /// # Errors
    ///
    /// If the prefix is anything else.
    pub fn new(prefix: impl Into<Arc<str>>) -> Result<Self, ConfigError> {
        let prefix = prefix.into();
        let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(2..=12).contains(&prefix.len()) || !prefix.bytes().all(is_fit) {
            return Err(ConfigError::new(format!(
                "the prefix of API tokens {prefix:?} does not have 2 to 12 lower-case letters and digits"
            )));
        }
        Ok(Self { prefix })
    }

    /// Returns the prefix, without the underscore.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the beginning of all tokens, with which a [`Dispatch`](portcullis_core::authenticator::Dispatch) recognises them: `acme_`.
    pub fn beginning(&self) -> String {
        format!("{}_", self.prefix)
    }

    /// Returns the beginning of the tokens of a kind: `acme_u_`.
    pub fn beginning_of(&self, kind: ApiTokenKind) -> String {
        format!("{}_{}_", self.prefix, kind.letter())
    }

    /// Returns the length of a token, in bytes.
    pub fn token_len(&self) -> usize {
        self.prefix.len() + "_x_".len() + BODY
    }

    /// Returns a regular expression that finds tokens in a text. It knows nothing of the checksum: ask [`has_right_checksum`](Self::has_right_checksum) about each hit.
    pub fn regex(&self) -> String {
        format!(r"\b{}\b", self.secret_format())
    }

    /// Whether a text has the form of a token, and its checksum is right. A scanner asks this about each hit of the [expression](Self::regex). It needs no pepper, so
    /// **it is no proof**: anyone can make such texts, and only a look-up tells whether there is such a token.
    pub fn has_right_checksum(&self, text: &str) -> bool {
        self.has_form(text)
    }

    /// Finds the tokens in a text, such as a log or a message: returns where each is, in bytes, in the order of the text. Their checksums are right, and they may
    /// be part of a longer word. It needs no pepper.
    ///
    /// ```
    /// use portcullis_issuer::api_tokens::ApiTokenFormat;
    ///
    /// let format = ApiTokenFormat::new("acme")?;
    /// let mut line = "no token is in this line".to_owned();
    /// let found: Vec<_> = format.find_in(&line).collect();
    /// for place in found.into_iter().rev() {
    ///     line.replace_range(place, "acme_…");
    /// }
    /// # Ok::<(), portcullis_core::ConfigError>(())
    /// ```
    pub fn find_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        text.match_indices('_').filter_map(|(at, _)| {
            let start = at.checked_sub(self.prefix.len())?;
            let place = start..start + self.token_len();
            text.get(place.clone()).is_some_and(|text| self.has_form(text)).then_some(place)
        })
    }

    /// Returns the `.gitleaks.toml` of repositories in which tokens could be. Its first two lines keep gitleaks' own rules, which a file without them switches
    /// off: **if there is such a file already, append the rule, from `[[rules]]` on**, and see that its `[extend]` says `useDefault = true`.
    pub fn gitleaks_rule(&self) -> String {
        let (prefix, regex) = (&self.prefix, self.regex());
        format!(
            "[extend]\nuseDefault = true\n\n[[rules]]\nid = \"{prefix}-api-token\"\ndescription = \"An API token that begins with {prefix}_: revoke it\"\n\
             regex = '''{regex}'''\nkeywords = [\"{prefix}_\"]\n"
        )
    }

    /// Returns the secret format of a custom pattern, for the secret scanning of GitHub. Leave its fields "before secret" and "after secret" as they are.
    pub fn github_pattern(&self) -> String {
        self.secret_format()
    }

    fn secret_format(&self) -> String {
        let letters: String = ApiTokenKind::ALL.iter().map(|kind| kind.letter()).collect();
        format!("{}_[{letters}]_[0-9A-Za-z]{{{BODY}}}", self.prefix)
    }
}

impl fmt::Debug for ApiTokenFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiTokenFormat({})", self.prefix)
    }
}
