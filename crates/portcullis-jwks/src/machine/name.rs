//! `Name`: the key that a token asks for.

use portcullis_core::{
    Algorithm,
    keys::{KeyHint, TokenHash, TokenHashKey},
};

/// The key that a token asks for, by `alg`, `kid`, `x5t` and `x5t#S256`, or as the key that signed this very token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    algorithm: Algorithm,
    key_id: Option<Box<str>>,
    certificate: [Option<Box<str>>; 2],
    /// For a token that does not name its key. Another token without a name may be signed by another key.
    token: Option<TokenHash>,
}

impl Name {
    /// Returns the key that the token names, or else the one that signed it.
    pub(crate) fn of_key(hint: KeyHint<'_>, key: &TokenHashKey) -> Self {
        // Thumbprints count only without a `kid`: otherwise one key could have many names.
        let certificate = match hint.key_id {
            Some(_) => [None, None],
            None => [hint.certificate_sha1, hint.certificate_sha256].map(|thumbprint| thumbprint.map(Box::from)),
        };
        let is_named = hint.key_id.is_some() || certificate.iter().any(Option::is_some);
        let token = if is_named { None } else { hint.token_hash(key) };
        Self { algorithm: hint.algorithm, key_id: hint.key_id.map(Box::from), certificate, token }
    }

    /// Returns the key that signed the token. A certificate does not identify it, because the keys of a set may have no certificates.
    pub(crate) fn of_signer(hint: KeyHint<'_>, key: &TokenHashKey) -> Self {
        let token = if hint.key_id.is_some() { None } else { hint.token_hash(key) };
        Self { token, ..Self::of_key(hint, key) }
    }

    pub(crate) fn hint(&self) -> KeyHint<'_> {
        let [sha1, sha256] = self.certificate.each_ref().map(Option::as_deref);
        KeyHint::new(self.algorithm, self.key_id.as_deref()).with_certificate(sha1, sha256)
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether the name is specific to its key. A hint without its token may not be.
    pub(crate) fn tells(&self) -> bool {
        self.key_id.is_some() || self.token.is_some() || self.certificate.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_names_no_key_is_a_name_of_its_own() {
        let key = TokenHashKey::random();
        let hint = KeyHint::new(Algorithm::Es256, None);
        let certified = hint.with_certificate(None, Some("thumbprint"));
        let named = KeyHint::new(Algorithm::Es256, Some("a"));
        for (hint, of_key_differs, of_signer_differs) in
            [(hint, true, true), (certified, false, true), (named, false, false)]
        {
            let names = |of: fn(KeyHint<'_>, &TokenHashKey) -> Name| {
                ["one", "other"].map(|token| of(hint.with_token(token), &key))
            };
            let differ = |[one, other]: [Name; 2]| one != other && one.tells();
            assert_eq!(differ(names(Name::of_key)), of_key_differs, "{hint:?}");
            assert_eq!(differ(names(Name::of_signer)), of_signer_differs, "{hint:?}");
        }
        assert!(!Name::of_signer(hint, &key).tells(), "a hint that was made without a token");
    }
}
