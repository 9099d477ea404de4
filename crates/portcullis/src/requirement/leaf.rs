//! The simple requirements, which contain no others.

use std::{fmt, time::Duration};

use portcullis_core::{UnixTime, claims::ClaimPlace, policy::Leeway, text::exact_text_problem};

use super::{Matcher, Requirement, caller::Caller, check::Check, permission::Permission, pointer::Pointer};

/// Requires that the token grants this scope (RFC 6749 section 3.3), by the issuer's scope rule.
///
/// ```
/// use portcullis::requirement::scope;
///
/// assert_eq!(scope("orders:read").to_string(), r#"scope("orders:read")"#);
/// ```
pub fn scope(name: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Scope(name.into()))
}

/// Requires that the caller has this role, at a place where the issuer writes roles (`/roles`, unless set otherwise).
pub fn role(name: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Role { name: name.into(), at: None })
}

/// Requires that the caller has this role at this place: a JSON pointer (RFC 6901) in which `{name}` stands for a path parameter.
///
/// The value of a parameter names one member of an object, whatever characters it contains; it is never an index of an array. Literal
/// braces are doubled. In a claim's own name, `/` is written `~1` and `~` is written `~0`: `/https:~1~1ns~1roles`, or
/// [`ClaimPlace::named("https://ns/roles")`](ClaimPlace::named).
///
/// A string at that place is one role, spaces included: with `"groups": "Former Admins"`, the caller does not have the role `Admins`. If
/// the strings at a place are lists, give it their [delimiter](ClaimPlace::delimited_by).
///
/// ```
/// use portcullis::claims::ClaimPlace;
/// use portcullis::requirement::role_at;
///
/// // {"grants": {"i-17": ["admin"]}} and a route such as /instances/{instance}
/// let admin_of_this_instance = role_at("/grants/{instance}", "admin");
///
/// // {"groups": "staff, admins"}
/// let admins = role_at(ClaimPlace::new("/groups").delimited_by(','), "admins");
/// ```
pub fn role_at(place: impl Into<ClaimPlace>, name: impl Into<String>) -> Requirement {
    Requirement::leaf(Leaf::Role { name: name.into(), at: Some(Pointer::new(place.into())) })
}

/// Requires that the claim at this place matches. The place is written as in [`role_at`], and may contain path parameters.
///
/// ```
/// use portcullis::requirement::{claim, eq};
///
/// assert_eq!(claim("/tenant", eq("acme")).to_string(), r#"claim("/tenant") == "acme""#);
/// ```
pub fn claim(place: impl Into<ClaimPlace>, matcher: Matcher) -> Requirement {
    Requirement::leaf(Leaf::Claim { pointer: Pointer::new(place.into()), matcher })
}

/// Requires a login at most `max_age` ago (`auth_time`; RFC 9470).
///
/// A token without a login time is not fresh. Neither is a token whose login is more than 30 seconds in the future; these seconds allow
/// for a wrong clock (the verifier's default leeway). A token whose `auth_time` is not a number of seconds is refused as
/// `claims_malformed`, also under a [`not`](super::not). The time is read from the admission's [clock](crate::Admission::clock).
pub fn fresh(max_age: Duration) -> Requirement {
    Requirement::leaf(Leaf::Fresh(max_age))
}

/// Requires one of these kinds of login (`acr`; RFC 9470).
///
/// A token whose `acr` is not a string is refused as `claims_malformed`, also under a [`not`](super::not).
pub fn acr<V: Into<String>>(values: impl IntoIterator<Item = V>) -> Requirement {
    Requirement::leaf(Leaf::Acr(values.into_iter().map(Into::into).collect()))
}

/// A requirement that contains no others.
pub(super) enum Leaf {
    Scope(String),
    Role { name: String, at: Option<Pointer> },
    Claim { pointer: Pointer, matcher: Matcher },
    Fresh(Duration),
    Acr(Vec<String>),
    Caller(Caller),
    Permission(Permission),
    Check(Check),
}

impl Leaf {
    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> Vec<&str> {
        match self {
            Self::Role { at: Some(pointer), .. } => pointer.parameters().collect(),
            Self::Claim { pointer, matcher } => pointer.parameters().chain(matcher.parameters()).collect(),
            Self::Permission(permission) => permission.parameters().collect(),
            Self::Scope(_)
            | Self::Role { at: None, .. }
            | Self::Fresh(_)
            | Self::Acr(_)
            | Self::Caller(_)
            | Self::Check(_) => Vec::new(),
        }
    }

    /// Whether it needs the path.
    pub(super) fn sees_path(&self) -> bool {
        matches!(self, Self::Check(check) if check.sees_path()) || !self.parameters().is_empty()
    }

    fn unmet(&self, why: &str) -> String {
        format!("{self} can never be met: {why}")
    }

    pub(super) fn takes_time(&self) -> bool {
        matches!(self, Self::Check(check) if check.takes_time())
    }

    /// Returns why it cannot be used.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Scope(name) => (!is_scope(name)).then(|| {
                format!("{self} can never be granted: a scope is visible ASCII without spaces, quotes or `\\`")
            }),
            Self::Role { name, at } => {
                let pointer = at.as_ref().and_then(Pointer::problem);
                pointer.or_else(|| exact_text_problem(name).map(|why| self.unmet(&why)))
            }
            Self::Claim { pointer, matcher } => {
                pointer.problem().or_else(|| matcher.problem().map(|why| self.unmet(&why)))
            }
            Self::Acr(values) if values.is_empty() => Some(self.unmet("name a value")),
            Self::Acr(values) => values.iter().find_map(|value| exact_text_problem(value)).map(|why| self.unmet(&why)),
            Self::Caller(caller) => caller.problem().map(|why| self.unmet(&why)),
            Self::Permission(permission) => permission.problem().map(|why| self.unmet(&why)),
            Self::Fresh(_) | Self::Check(_) => None,
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(name) => write!(f, "scope({name:?})"),
            Self::Role { name, at: None } => write!(f, "role({name:?})"),
            Self::Role { name, at: Some(pointer) } => write!(f, "role({name:?}) at {pointer}"),
            Self::Claim { pointer, matcher } => write!(f, "claim({pointer}) {matcher}"),
            Self::Fresh(max_age) => write!(f, "fresh({max_age:?})"),
            Self::Caller(caller) => caller.fmt(f),
            Self::Permission(permission) => permission.fmt(f),
            Self::Check(check) => check.fmt(f),
            Self::Acr(values) => {
                f.write_str("acr(")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value:?}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Whether a login at that instant is recent enough.
pub(super) fn is_fresh(login: Option<UnixTime>, max_age: Duration, now: UnixTime) -> bool {
    login.is_some_and(|login| login <= now.plus(Leeway::default().as_duration()) && now.since(login) <= max_age)
}

/// `scope-token` of RFC 6749 section 3.3: `%x21 / %x23-5B / %x5D-7E`.
fn is_scope(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_ends_after_the_last_second() {
        let fresh =
            |login| is_fresh(Some(UnixTime::from_secs(login)), Duration::from_secs(60), UnixTime::from_secs(1000));
        assert!(fresh(1000) && fresh(940));
        assert!(!fresh(939));
        assert!(fresh(1030), "a clock may be wrong");
        assert!(!fresh(1031), "but not by that much");
        assert!(!is_fresh(None, Duration::MAX, UnixTime::EPOCH));
    }

    #[test]
    fn a_scope_that_nobody_can_have_is_a_problem() {
        for name in ["", "a b", "a\"b", "a\\b", "ä", "a\tb"] {
            assert!(Leaf::Scope(name.into()).problem().is_some(), "{name:?}");
        }
        assert!(Leaf::Scope("https://api.example.com/orders.read!#{x}".into()).problem().is_none());
    }
}
