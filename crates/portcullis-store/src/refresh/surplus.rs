//! [`surplus`]: which sessions of a user are too many.

use portcullis_issuer::refresh::{Family, FamilyId};

/// How many are returned at most.
const AT_ONCE: usize = 100;

/// Returns those of a subject's live families that are too many: of all but the `most` that end last, the hundred that end first.
pub(super) fn surplus(mut live: Vec<Family>, most: usize) -> Vec<FamilyId> {
    live.sort_by_key(Family::ends_at);
    let count = live.len().saturating_sub(most).min(AT_ONCE);
    live.iter().take(count).map(|family| family.id).collect()
}
