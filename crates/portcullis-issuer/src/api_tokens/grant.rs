//! [`Grants`]: what a token may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grant {
    /// A scope.
    Scope(String),
    /// A role on one instance.
    Role {
        /// The role.
        role: String,
        /// The instance.
        instance: String,
    },
    /// A role on every instance on which the owner has this role at the time.
    ///
    /// A [`Memberships`](super::Memberships) that names the owner's roles instance by instance, as it should, turns it into those roles: the request then has them in
    /// `/grants/<instance>`, and **never in `roles`**. So let guards read `/grants/{instance}`. It is in `roles`, and in no `/grants/<instance>`, only if the owner's rights say
    /// `RoleEverywhere`, too.
    RoleEverywhere(String),
    /// Whatever the owner may do at the time.
    Everything,
}

impl Grant {
    /// Returns the grant of a scope.
    pub fn scope(scope: impl Into<String>) -> Self {
        Self::Scope(scope.into())
    }

    /// Returns the grant of a role on one instance.
    pub fn role(role: impl Into<String>, instance: impl Into<String>) -> Self {
        Self::Role { role: role.into(), instance: instance.into() }
    }

    /// Returns the grant of a role on every instance on which the owner has it.
    pub fn role_everywhere(role: impl Into<String>) -> Self {
        Self::RoleEverywhere(role.into())
    }

    /// Whether this right includes the other one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::RoleEverywhere(role), Self::Role { role: other, .. }) => role == other,
            (mine, other) => mine == other,
        }
    }
}

/// A set of rights, at most [`LIMIT`](Self::LIMIT).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(BTreeSet<Grant>);

impl Grants {
    /// How many grants a token may have.
    pub const LIMIT: usize = 200;

    /// Returns no rights at all.
    pub const fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Returns them in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of these includes the right.
    pub fn cover(&self, grant: &Grant) -> bool {
        self.0.iter().any(|mine| mine.covers(grant))
    }

    /// Whether these include all of the other ones.
    pub fn cover_all(&self, other: &Self) -> bool {
        other.0.iter().all(|grant| self.cover(grant))
    }

    /// Whether the rights that both have are exactly these. Then nothing has to be copied.
    pub(super) fn are_common_with(&self, other: &Self) -> bool {
        other.cover_all(self) && other.0.iter().all(|theirs| !self.cover(theirs) || self.0.contains(theirs))
    }

    /// Returns the rights that both have.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let mine = self.0.iter().filter(|grant| other.cover(grant));
        let theirs = other.0.iter().filter(|grant| self.cover(grant));
        Self(mine.chain(theirs).cloned().collect())
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self(grants.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_covers_itself_and_what_it_stands_for() {
        let [reader, other] = [Grant::role("reader", "one"), Grant::role("reader", "two")];
        assert!(reader.covers(&reader) && !reader.covers(&other));
        assert!(Grant::role_everywhere("reader").covers(&other));
        assert!(!Grant::role_everywhere("writer").covers(&other));
        assert!(!reader.covers(&Grant::role_everywhere("reader")));
        assert!(
            Grant::Everything.covers(&Grant::scope("orders:read")) && !Grant::scope("x").covers(&Grant::Everything)
        );
    }

    #[test]
    fn what_two_sets_have_in_common_is_in_both() {
        let everywhere: Grants = [Grant::role_everywhere("reader"), Grant::scope("a")].into_iter().collect();
        let now: Grants =
            [Grant::role("reader", "one"), Grant::role("writer", "two"), Grant::scope("a")].into_iter().collect();
        let both: Grants = [Grant::role("reader", "one"), Grant::scope("a")].into_iter().collect();
        assert_eq!(everywhere.common(&now), both);
        assert_eq!(now.common(&everywhere), both);
        assert_eq!(Grants::none().common(&now), Grants::none());
        assert_eq!([Grant::Everything].into_iter().collect::<Grants>().common(&now), now);
    }

    #[test]
    fn nothing_is_copied_exactly_if_the_common_rights_are_the_same() {
        let grants = [
            Grant::Everything,
            Grant::role_everywhere("reader"),
            Grant::role("reader", "one"),
            Grant::role("writer", "one"),
            Grant::scope("a"),
        ];
        let sets: Vec<Grants> = (0..1 << grants.len())
            .map(|bits| {
                grants
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| bits >> at & 1 == 1)
                    .map(|(_, grant)| grant.clone())
                    .collect()
            })
            .collect();
        for one in &sets {
            for other in &sets {
                assert_eq!(one.are_common_with(other), one.common(other) == *one, "{one:?} {other:?}");
            }
        }
    }
}
