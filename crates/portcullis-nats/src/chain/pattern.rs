//! Texts as patterns of subjects. A text that is no pattern stands for nothing.

use portcullis_core::subjects::SubjectPattern;

use crate::claims::subject::both;
pub(super) use crate::claims::subject::covers;

/// Whether it is a subject or a pattern of subjects.
pub(super) fn is_well_formed(subject: &str) -> bool {
    SubjectPattern::parse(subject).is_ok()
}

/// Whether it is a subject without wildcards.
pub(super) fn is_literal(subject: &str) -> bool {
    SubjectPattern::parse(subject).is_ok_and(|subject| subject.is_literal())
}

/// Whether there is a subject that both stand for.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    both(one, other).is_some_and(|(one, other)| one.overlaps(&other))
}

/// Returns the pattern of what both stand for; `None` if there is nothing.
pub(super) fn intersection(one: &str, other: &str) -> Option<SubjectPattern> {
    both(one, other).and_then(|(one, other)| one.intersection(&other))
}
