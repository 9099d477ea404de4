//! [`RegisteredClaims`]: one strict pass over the claims' text.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::{
    ClaimsText,
    audience::{Audience, AudienceSeed},
    claim_name::{ClaimName, ClaimNames},
    lenient_claim::{LenientClaim, WrongTypes},
    malformed::explain,
    numeric_date::NumericDate,
    scope::{GrantedScopes, ScopeSeed},
};
use crate::{
    AuthError, Code, UnixTime,
    json::{Loose, LooseSeed, Scan, Source, Text, TextSeed},
};

/// The registered claims, not yet verified or decided. The types of claims that matter for every token are checked; for the others a
/// wrong type is recorded, for the rules that read them. An empty `sub`, `jti`, `sid` or `client_id` counts as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredClaims {
    pub(crate) issuer: Option<Text>,
    pub(crate) subject: Option<Text>,
    /// Empty if there is none: two words less than an `Option`, for every cached token.
    pub(crate) audience: Audience,
    /// Whether there is an `aud`, even if it is an empty array.
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
    pub(crate) wrong_types: WrongTypes,
    /// Whether there is a `cnf` (RFC 7800), with any content: the token is then bound to a key.
    pub(crate) is_bound: bool,
    /// Whether there is an `events` (RFC 8417 section 2.2), with any content.
    pub(crate) has_events: bool,
}

impl RegisteredClaims {
    /// Reads the claims. Unknown members are walked too, so that later code may rely on the whole text being strict.
    ///
    /// # Errors
    ///
    /// [`Code::ClaimsMalformed`] if it is not one JSON object, a member is repeated at any level, it is nested too deeply, or `iss`,
    /// `sub`, `aud`, `exp`, `nbf` or `iat` has the wrong type. `null` is a wrong type; it does not count as absent.
    pub(crate) fn parse(text: &mut ClaimsText) -> Result<Self, AuthError> {
        let source = Source::new(text.json());
        let mut claims = Self::none();
        let mut deserializer = serde_json::Deserializer::from_str(text.json());
        // Filled in place: as the visitor's value they would be copied on every level that returns them.
        Deserializer::deserialize_map(&mut deserializer, ClaimsVisitor { source: &source, claims: &mut claims })
            .and_then(|()| deserializer.end())
            // The error's own text could quote the token.
            .map_err(|_| AuthError::new(Code::ClaimsMalformed).with_explanation(explain(text.json())))?;
        let copies = source.into_copies();
        text.set_copies(&copies);
        Ok(claims)
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
        let loose = LooseSeed::below(1, self.source);
        let scopes = ScopeSeed(self.source);
        let mut names = ClaimNames::default();
        let mut scope = None;
        let mut scp = None;
        let Self { source, claims } = self;
        while let Some(name) = members.next_key_seed(&mut names)? {
            match name {
                ClaimName::Issuer => claims.issuer = Some(members.next_value_seed(text)?),
                ClaimName::Subject => {
                    claims.subject = Some(members.next_value_seed(text)?).filter(|sub| !sub.is_empty());
                }
                ClaimName::Audience => {
                    claims.audience = members.next_value_seed(AudienceSeed(source))?;
                    claims.has_audience = true;
                }
                ClaimName::Expiry => claims.expires_at = Some(members.next_value::<NumericDate>()?.rounded_down()),
                ClaimName::NotBefore => claims.not_before = Some(members.next_value::<NumericDate>()?.rounded_up()),
                ClaimName::IssuedAt => claims.issued_at = Some(members.next_value::<NumericDate>()?.rounded_down()),
                ClaimName::Confirmation | ClaimName::Events => {
                    members.next_value_seed(Scan::within(source.json(), 1))?;
                    claims.is_bound |= name == ClaimName::Confirmation;
                    claims.has_events |= name == ClaimName::Events;
                }
                ClaimName::Scope => scope = Some(members.next_value_seed(scopes)?),
                ClaimName::Scp => scp = Some(members.next_value_seed(scopes)?),
                ClaimName::Other => members.next_value_seed(Scan::within(source.json(), 1))?,
                ClaimName::Lenient(claim) => claims.take(claim, members.next_value_seed(loose)?),
            }
        }
        if let Some(granted) = scope.or(scp) {
            claims.scopes = granted;
        }
        Ok(())
    }
}

impl RegisteredClaims {
    fn take(&mut self, claim: LenientClaim, value: Loose) {
        let types = &mut self.wrong_types;
        match claim {
            LenientClaim::TokenId => self.token_id = types.name(claim, value),
            LenientClaim::SessionId => self.session_id = types.name(claim, value),
            LenientClaim::ClientId => self.client_id = types.name(claim, value),
            LenientClaim::Version => self.version = types.version(value),
            LenientClaim::AuthTime => self.authenticated_at = types.time(claim, value),
            LenientClaim::Acr => self.acr = types.text(claim, value),
        }
    }

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
            wrong_types: WrongTypes::default(),
            is_bound: false,
            has_events: false,
        }
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
        ] {
            assert_eq!(parse(json).expect_err(json).code(), Code::ClaimsMalformed, "{json}");
        }
    }

    #[test]
    fn a_claim_that_only_some_rules_read_may_have_any_type() {
        for name in ["jti", "sid", "client_id", "auth_time", "acr", "ver"] {
            for value in ["null", "true", "-1", "1.5", r#""""#, "[]", "[[1]]", "{}", r#"{"a":[1]}"#, "1e300"] {
                let claims = parse(&format!(r#"{{"{name}":{value}}}"#)).expect(name);
                assert_eq!((claims.token_id, claims.session_id, claims.client_id), (None, None, None));
                assert_eq!(claims.version, None, "{name} {value}");
            }
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
            (r#"{"scope":["a","b c"]}"#, vec!["a", "b c"]),
            (r#"{"scope":["a"],"scp":["b"]}"#, vec!["a"]),
            (r#"{"scope":[],"scp":["b"]}"#, vec![]),
            (r#"{"scope":7}"#, vec![]),
            (r#"{"scope":null,"scp":["b"]}"#, vec![]),
            (r#"{"scp":["a",7,null,["b"],{"c":1},""]}"#, vec!["a"]),
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
