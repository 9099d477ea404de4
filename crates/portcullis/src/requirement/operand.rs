//! [`Operand`]: a value to compare a claim with.

use std::fmt;

use portcullis_core::{claims::ClaimRef, subjects::SubjectPattern, text::exact_text_problem};

use super::path_params::{Mistake, PathParams};

/// A value to compare a claim with: a string, an integer, a boolean, or a path parameter ([`param`]).
///
/// Made from `&str`, `String`, `bool` and the integer types by `into()`.
#[derive(Clone, Debug)]
pub struct Operand(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Text(String),
    Number(i128),
    Truth(bool),
    Parameter(String),
}

/// The value of a path parameter, percent-decoded. It ties a requirement to the resource that a request is about.
///
/// It equals a claim that is the same string, or the integer that it represents in decimal without leading zeros.
///
/// ```
/// use portcullis::requirement::{claim, eq, param};
///
/// let own_tenant = claim("/tenant", eq(param("tenant"))); // on a route such as /tenants/{tenant}
/// ```
pub fn param(name: impl Into<String>) -> Operand {
    Operand(Kind::Parameter(name.into()))
}

impl Operand {
    pub(super) fn parameter(&self) -> Option<&str> {
        match &self.0 {
            Kind::Parameter(name) => Some(name),
            Kind::Text(_) | Kind::Number(_) | Kind::Truth(_) => None,
        }
    }

    /// Returns why no claim is likely to equal it. (An empty string is a possible claim.)
    pub(super) fn problem(&self) -> Option<String> {
        match &self.0 {
            Kind::Text(text) if !text.is_empty() => exact_text_problem(text),
            Kind::Text(_) | Kind::Number(_) | Kind::Truth(_) | Kind::Parameter(_) => None,
        }
    }

    /// Returns why no pattern can cover it.
    pub(super) fn subject_problem(&self) -> Option<String> {
        match &self.0 {
            Kind::Text(text) => {
                let malformed = SubjectPattern::parse(text).err()?;
                Some(format!("{text:?} is not a NATS subject: {malformed}"))
            }
            Kind::Number(_) | Kind::Truth(_) => Some("a NATS subject is text".to_owned()),
            Kind::Parameter(_) => None,
        }
    }

    /// Returns the value for one request.
    pub(super) fn resolve<'a>(&'a self, params: &'a PathParams) -> Result<Resolved<'a>, Mistake<'a>> {
        Ok(match &self.0 {
            Kind::Text(text) => Resolved::Text(text),
            Kind::Number(number) => Resolved::Number(*number),
            Kind::Truth(truth) => Resolved::Truth(*truth),
            Kind::Parameter(name) => Resolved::Parameter(params.require(name)?),
        })
    }
}

/// An operand's value for one request.
#[derive(Clone, Copy)]
pub(super) enum Resolved<'a> {
    Text(&'a str),
    Number(i128),
    Truth(bool),
    Parameter(&'a str),
}

impl<'a> Resolved<'a> {
    pub(super) fn equals(self, claim: ClaimRef<'_>) -> bool {
        match self {
            Self::Text(text) => claim.as_str() == Some(text),
            Self::Number(number) => whole_number(claim) == Some(number),
            Self::Truth(truth) => claim.as_bool() == Some(truth),
            Self::Parameter(text) => {
                claim.as_str() == Some(text) || whole_number(claim).is_some_and(|number| number.to_string() == text)
            }
        }
    }

    /// Returns the value, if it is text.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Parameter(text) => Some(text),
            Self::Number(_) | Self::Truth(_) => None,
        }
    }
}

fn whole_number(claim: ClaimRef<'_>) -> Option<i128> {
    claim.as_u64().map(i128::from).or_else(|| claim.as_i64().map(i128::from))
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Text(text) => write!(f, "{text:?}"),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::Truth(truth) => write!(f, "{truth}"),
            Kind::Parameter(name) => write!(f, "param({name:?})"),
        }
    }
}

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        Self(Kind::Text(text.to_owned()))
    }
}

impl From<String> for Operand {
    fn from(text: String) -> Self {
        Self(Kind::Text(text))
    }
}

impl From<bool> for Operand {
    fn from(truth: bool) -> Self {
        Self(Kind::Truth(truth))
    }
}

impl From<i32> for Operand {
    fn from(number: i32) -> Self {
        Self(Kind::Number(number.into()))
    }
}

impl From<u32> for Operand {
    fn from(number: u32) -> Self {
        Self(Kind::Number(number.into()))
    }
}

impl From<i64> for Operand {
    fn from(number: i64) -> Self {
        Self(Kind::Number(number.into()))
    }
}

impl From<u64> for Operand {
    fn from(number: u64) -> Self {
        Self(Kind::Number(number.into()))
    }
}
