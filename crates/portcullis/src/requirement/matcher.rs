//! [`Matcher`]: a condition on a claim.

use std::fmt;

use portcullis_core::{claims::ClaimRef, subjects::SubjectPattern};

use super::{
    operand::{Operand, Resolved},
    path_params::{Mistake, PathParams},
};

/// A condition on a claim; see [`claim`](super::claim). An absent claim never matches.
#[derive(Clone, Debug)]
pub struct Matcher(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Equals(Operand),
    OneOf(Vec<Operand>),
    Contains(Operand),
    Present,
    Covers(Operand),
}

/// Matches a claim with this value: the same type and the same content, text compared byte by byte.
pub fn eq(value: impl Into<Operand>) -> Matcher {
    Matcher(Kind::Equals(value.into()))
}

/// Matches a claim with one of these values.
pub fn one_of<V: Into<Operand>>(values: impl IntoIterator<Item = V>) -> Matcher {
    Matcher(Kind::OneOf(values.into_iter().map(Into::into).collect()))
}

/// Matches a claim that is an array with this element, or a string equal to it.
///
/// A string is one value, spaces included. If it is a list, give the place its
/// [delimiter](portcullis_core::claims::ClaimPlace::delimited_by), and one of the elements has to be equal to this value:
///
/// ```
/// use portcullis::claims::ClaimPlace;
/// use portcullis::requirement::{claim, contains};
///
/// // {"groups": "staff, admins"}
/// let admins = claim(ClaimPlace::new("/groups").delimited_by(','), contains("admins"));
/// ```
pub fn contains(value: impl Into<Operand>) -> Matcher {
    Matcher(Kind::Contains(value.into()))
}

/// Matches a claim that exists and is not `null`. An empty `sub`, `jti`, `sid` or `client_id` counts as absent, because it names nothing.
pub fn present() -> Matcher {
    Matcher(Kind::Present)
}

/// Matches a claim that is a NATS subject pattern, or an array of them (or a string, if the place has a
/// [delimiter](portcullis_core::claims::ClaimPlace::delimited_by)), one of which covers this NATS subject.
///
/// A NATS subject is not the token's `sub`, but the topic of a message: words separated by dots. In a pattern, `*` stands for exactly one
/// word, and `>` at the end for one or more; [`subjects`](portcullis_core::subjects) has the rules. A subject that contains wildcards itself
/// is covered if the pattern covers everything that it stands for. Malformed patterns cover nothing, and no pattern covers a malformed
/// subject.
///
/// ```
/// use portcullis::requirement::{claim, covers, param};
///
/// // {"publish": ["orders.*", "logs.>"]} and a route such as /publish/{subject}
/// let may_publish = claim("/publish", covers(param("subject")));
/// ```
pub fn covers(subject: impl Into<Operand>) -> Matcher {
    Matcher(Kind::Covers(subject.into()))
}

impl Matcher {
    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.operands().iter().filter_map(Operand::parameter)
    }

    /// Operands are resolved before the claim is read, so that a missing parameter is reported for every token.
    pub(super) fn matches<'a>(
        &'a self,
        claim: Option<ClaimRef<'_>>,
        delimiter: Option<char>,
        params: &'a PathParams,
    ) -> Result<bool, Mistake<'a>> {
        let mut any = false;
        for operand in self.operands() {
            let value = operand.resolve(params)?;
            any |= claim.is_some_and(|claim| self.holds(claim, delimiter, value));
        }
        Ok(match &self.0 {
            Kind::Present => claim.is_some_and(|claim| !claim.is_null()),
            Kind::Equals(_) | Kind::OneOf(_) | Kind::Contains(_) | Kind::Covers(_) => any,
        })
    }

    /// Whether it only requires that the claim exists.
    pub(super) const fn is_presence(&self) -> bool {
        matches!(self.0, Kind::Present)
    }

    /// Returns why nothing can match.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.0 {
            Kind::OneOf(values) if values.is_empty() => Some("name a value".to_owned()),
            Kind::Covers(subject) => subject.subject_problem(),
            _ => self.operands().iter().find_map(Operand::problem),
        }
    }

    fn operands(&self) -> &[Operand] {
        match &self.0 {
            Kind::Equals(value) | Kind::Contains(value) | Kind::Covers(value) => std::slice::from_ref(value),
            Kind::OneOf(values) => values,
            Kind::Present => &[],
        }
    }

    fn holds(&self, claim: ClaimRef<'_>, delimiter: Option<char>, value: Resolved<'_>) -> bool {
        match &self.0 {
            Kind::Equals(_) | Kind::OneOf(_) => value.equals(claim),
            Kind::Contains(_) => has_element(claim, value) || has_word(claim, delimiter, value),
            Kind::Covers(_) => value.text().is_some_and(|subject| is_covered(claim, delimiter, subject)),
            Kind::Present => true,
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Equals(value) => write!(f, "== {value}"),
            Kind::Contains(value) => write!(f, "contains {value}"),
            Kind::Covers(value) => write!(f, "covers {value}"),
            Kind::Present => f.write_str("is present"),
            Kind::OneOf(values) => {
                f.write_str("is one of [")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

fn has_element(claim: ClaimRef<'_>, value: Resolved<'_>) -> bool {
    claim.elements().is_some_and(|mut elements| elements.any(|element| value.equals(element)))
}

fn has_word(claim: ClaimRef<'_>, delimiter: Option<char>, value: Resolved<'_>) -> bool {
    value.text().is_some_and(|word| claim.words(delimiter).any(|other| other == word))
}

fn is_covered(claim: ClaimRef<'_>, delimiter: Option<char>, subject: &str) -> bool {
    let Ok(subject) = SubjectPattern::parse(subject) else { return false };
    let covers = |text: &str| SubjectPattern::parse(text).is_ok_and(|pattern| pattern.covers(&subject));
    let element_covers = |element: ClaimRef<'_>| element.as_str().is_some_and(covers);
    claim.words(delimiter).any(covers) || claim.elements().is_some_and(|mut elements| elements.any(element_covers))
}
