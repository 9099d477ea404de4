//! One strict pass over the claims' text.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::{
    ClaimsText,
    audience::{Audience, AudienceSeed},
    claim_name::{ClaimName, ClaimNames},
    numeric_date::NumericDate,
    scope::{GrantedScopes, ScopeSeed},
};
use crate::{
    AuthError, Code, UnixTime,
    json::{MemberName, NUMBER, Scan, Source, Text, TextSeed},
};

/// The registered claims, types checked, nothing decided, nothing believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredClaims {
    pub(crate) issuer: Option<Text>,
    pub(crate) subject: Option<Text>,
    /// Empty if there is none: two words less than an `Option`, for every token that is remembered.
    pub(crate) audience: Audience,
    /// Whether there is an `aud`, be it an empty array.
    pub(crate) has_audience: bool,
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) issued_at: Option<UnixTime>,
    pub(crate) token_id: Option<Text>,
    pub(crate) scopes: GrantedScopes,
    pub(crate) client_id: Option<Text>,
    pub(crate) session_id: Option<Text>,
    pub(crate) version: Option<u64>,
    pub(crate) authenticated_at: Option<UnixTime>,
    pub(crate) acr: Option<Text>,
    /// Whether there is a `cnf` (RFC 7800), whatever is in it: the token is then bound to a key.
    pub(crate) is_bound: bool,
    /// Whether there is an `events` (RFC 8417 section 2.2), whatever is in it.
    pub(crate) has_events: bool,
}

impl RegisteredClaims {
    /// Reads the claims; every member that nobody reads is walked all the same, so that what follows may rely on the
    /// whole text being strict.
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`] if it is not one JSON object, a member stands twice at any level, it nests too deep,
    /// or a claim has the wrong type. `null` is a wrong type, not an absence.
    pub(crate) fn parse(text: &mut ClaimsText) -> Result<Self, AuthError> {
        let source = Source::new(text.json());
        let mut claims = Self::none();
        let mut deserializer = serde_json::Deserializer::from_str(text.json());
        // Filled in where they are: as the visitor's value they would be copied on every level that passes them on.
        Deserializer::deserialize_map(&mut deserializer, ClaimsVisitor { source: &source, claims: &mut claims })
            .and_then(|()| deserializer.end())
            // The source's text could quote the token, so the error keeps only its kind.
            .map_err(|error| AuthError::new(Code::ClaimsMalformed).with_explanation(explain(&error)))?;
        let copies = source.into_copies();
        text.set_copies(&copies);
        Ok(claims)
    }
}

fn explain(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "a claim has the wrong type, stands twice or nests too deep",
        _ => "not one JSON object",
    }
}

struct ClaimsVisitor<'a, 'de> {
    source: &'a Source<'de>,
    claims: &'a mut RegisteredClaims,
}

impl<'de> Visitor<'de> for ClaimsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let text = TextSeed(self.source);
        let mut names = ClaimNames::default();
        let mut scope = None;
        let mut scp = None;
        let Self { source, claims } = self;
        while let Some(name) = members.next_key_seed(&mut names)? {
            match name {
                ClaimName::Issuer => claims.issuer = Some(members.next_value_seed(text)?),
                ClaimName::Subject => claims.subject = Some(members.next_value_seed(text)?),
                ClaimName::Audience => {
                    claims.audience = members.next_value_seed(AudienceSeed(source))?;
                    claims.has_audience = true;
                }
                ClaimName::Expiry => claims.expires_at = Some(members.next_value::<NumericDate>()?.rounded_down()),
                ClaimName::NotBefore => claims.not_before = Some(members.next_value::<NumericDate>()?.rounded_up()),
                ClaimName::IssuedAt => claims.issued_at = Some(members.next_value::<NumericDate>()?.rounded_down()),
                ClaimName::TokenId => claims.token_id = Some(members.next_value_seed(text)?),
                ClaimName::Scope => scope = Some(members.next_value_seed(ScopeSeed { source, accept_array: false })?),
                ClaimName::Scp => scp = Some(members.next_value_seed(ScopeSeed { source, accept_array: true })?),
                ClaimName::ClientId => claims.client_id = Some(members.next_value_seed(text)?),
                ClaimName::SessionId => claims.session_id = Some(members.next_value_seed(text)?),
                ClaimName::Version => claims.version = members.next_value_seed(VersionSeed)?,
                ClaimName::AuthTime => {
                    claims.authenticated_at = Some(members.next_value::<NumericDate>()?.rounded_down());
                }
                ClaimName::Acr => claims.acr = Some(members.next_value_seed(text)?),
                ClaimName::Confirmation | ClaimName::Events => {
                    members.next_value_seed(Scan::below(1))?;
                    claims.is_bound |= name == ClaimName::Confirmation;
                    claims.has_events |= name == ClaimName::Events;
                }
                ClaimName::Other => members.next_value_seed(Scan::below(1))?,
            }
        }
        if let Some(granted) = scope.or(scp) {
            claims.scopes = granted;
        }
        Ok(())
    }
}

impl RegisteredClaims {
    fn none() -> Self {
        Self {
            issuer: None,
            subject: None,
            audience: Audience::none(),
            has_audience: false,
            expires_at: None,
            not_before: None,
            issued_at: None,
            token_id: None,
            scopes: GrantedScopes::none(),
            client_id: None,
            session_id: None,
            version: None,
            authenticated_at: None,
            acr: None,
            is_bound: false,
            has_events: false,
        }
    }
}

/// Reads `ver` if it is a whole number. Entra ID writes `"ver": "2.0"`, the version of its token format: another
/// thing, and no reason to refuse the token.
struct VersionSeed;

impl<'de> DeserializeSeed<'de> for VersionSeed {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VersionSeed {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token version")
    }

    fn visit_u64<E: de::Error>(self, version: u64) -> Result<Option<u64>, E> {
        Ok(Some(version))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Option<u64>, E> {
        Ok(None)
    }

    /// A number as serde_json gives it with `arbitrary_precision`.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<u64>, A::Error> {
        let version = match members.next_entry::<MemberName<'de>, MemberName<'de>>()? {
            Some((name, number)) if name.as_str() == NUMBER => number.as_str().parse().ok(),
            _ => None,
        };
        version.map(Some).ok_or_else(|| de::Error::custom("a token version is a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<RegisteredClaims, AuthError> {
        RegisteredClaims::parse(&mut json.to_owned().into())
    }

    #[test]
    fn every_claim_is_read() {
        let json = r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":3,"nbf":1,"iat":2,"jti":"j","scope":"x y","client_id":"c",
            "sid":"d","ver":7,"auth_time":2,"acr":"gold","other":{"exp":[1]}}"#;
        let claims = parse(json).unwrap();
        let text = |claim: &Option<Text>| claim.map(|text| text.of(json).to_owned());
        assert_eq!(text(&claims.issuer).as_deref(), Some("i"));
        assert_eq!(text(&claims.subject).as_deref(), Some("s"));
        assert_eq!(claims.audience.iter().map(|value| value.of(json)).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(claims.expires_at.map(UnixTime::as_secs), Some(3));
        assert_eq!(claims.not_before.map(UnixTime::as_secs), Some(1));
        assert_eq!(claims.issued_at.map(UnixTime::as_secs), Some(2));
        assert_eq!(text(&claims.token_id).as_deref(), Some("j"));
        assert_eq!(text(&claims.client_id).as_deref(), Some("c"));
        assert_eq!(text(&claims.session_id).as_deref(), Some("d"));
        assert_eq!(claims.version, Some(7));
        assert_eq!(claims.authenticated_at.map(UnixTime::as_secs), Some(2));
        assert_eq!(text(&claims.acr).as_deref(), Some("gold"));
    }

    #[test]
    fn a_claim_of_the_wrong_type_refuses_the_token() {
        for json in [
            r#"{"iss":["i"]}"#,
            r#"{"iss":null}"#,
            r#"{"sub":7}"#,
            r#"{"sub":null}"#,
            r#"{"aud":7}"#,
            r#"{"aud":{"a":1}}"#,
            r#"{"aud":["a",7]}"#,
            r#"{"aud":["a",["b"]]}"#,
            r#"{"aud":null}"#,
            r#"{"exp":"3"}"#,
            r#"{"exp":null}"#,
            r#"{"nbf":true}"#,
            r#"{"iat":-1}"#,
            r#"{"jti":7}"#,
            r#"{"jti":null}"#,
            r#"{"sid":7}"#,
            r#"{"client_id":7}"#,
            r#"{"auth_time":"x"}"#,
            r#"{"acr":7}"#,
            r#"{"ver":1.5}"#,
            r#"{"ver":-1}"#,
        ] {
            assert_eq!(parse(json).expect_err(json).code(), Code::ClaimsMalformed, "{json}");
        }
    }

    #[test]
    fn only_one_strict_object_is_a_claims_set() {
        for json in [
            "",
            "[]",
            "7",
            "null",
            r#""{}""#,
            "{} {}",
            "{}x",
            "{",
            r#"{"exp":1,"exp":1}"#,
            r#"{"exp":1,"\u0065xp":1}"#,
            r#"{"acr":"a","x":1,"acr":"a"}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"a":1,"\u0061":1}"#,
            "{'a':1}",
            r#"{"a":"\x"}"#,
            r#"{"a":"\ud800"}"#,
        ] {
            assert_eq!(parse(json).expect_err(json).code(), Code::ClaimsMalformed, "{json}");
        }
        assert!(parse(" {\r\n} ").is_ok());
    }

    #[test]
    fn a_format_version_is_not_a_token_version() {
        assert_eq!(parse(r#"{"ver":"2.0"}"#).unwrap().version, None);
    }

    #[test]
    fn scopes_come_from_scope_or_else_from_scp() {
        use super::super::Scopes;
        for (json, expected) in [
            (r#"{"scope":"a  b "}"#, vec!["a", "b"]),
            (r#"{"scp":["a","b"]}"#, vec!["a", "b"]),
            (r#"{"scp":"a b"}"#, vec!["a", "b"]),
            (r#"{"scp":["a b"]}"#, vec!["a b"]),
            (r#"{"scope":"a","scp":["b"]}"#, vec!["a"]),
            (r#"{"scp":["b"],"scope":"a"}"#, vec!["a"]),
            (r#"{"scope":["a"]}"#, vec![]),
            (r#"{"scope":["a"],"scp":["a"]}"#, vec![]),
            (r#"{"scope":7}"#, vec![]),
            (r#"{"scp":["a",7]}"#, vec![]),
            (r#"{"scp":[["a"]]}"#, vec![]),
            (r#"{"scope":{"a":1}}"#, vec![]),
            (r#"{"scope":""}"#, vec![]),
            ("{}", vec![]),
        ] {
            let claims = parse(json).unwrap();
            assert_eq!(Scopes::new(&claims.scopes, json).iter().collect::<Vec<_>>(), expected, "{json}");
        }
    }
}
