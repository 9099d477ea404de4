//! [`Rungs`]: which levels of revocation apply to a credential.

use std::{fmt, sync::Arc};

use super::Level;

/// A set of levels, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Levels(u8);

impl Levels {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u8::MAX);

    const HAS_A_BIT_FOR_EACH: () = assert!(Level::ALL.len() <= u8::BITS as usize, "take a wider number");

    pub(crate) const fn insert(&mut self, level: Level) {
        let () = Self::HAS_A_BIT_FOR_EACH;
        self.0 |= 1 << level as u8;
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn without(self, is_without: impl Fn(Level) -> bool) -> Self {
        let mut left = Self::NONE;
        Level::ALL
            .into_iter()
            .filter(|level| self.has(*level) && !is_without(*level))
            .for_each(|level| left.insert(level));
        left
    }

    pub(crate) const fn has(self, level: Level) -> bool {
        self.0 & (1 << level as u8) != 0
    }
}

/// The levels of revocation that apply to a credential, and whether the view's horizon applies.
///
/// All of them apply to a token that contains its own claims. This is different for a credential whose own store is the authority: a user
/// who logs out everywhere does not want to lose the keys of a machine, and such a key may live for years, because its store forgets
/// nothing. For it, the log of revocations only ends what is cached: an entry is needed no longer than the cache may keep the credential.
#[derive(Clone, PartialEq, Eq)]
pub struct Rungs(
    /// `None` for all of them and the horizon. One word, because every verified token has it.
    Option<Arc<Named>>,
);

/// Levels that were named one by one.
#[derive(Clone, PartialEq, Eq)]
struct Named {
    levels: Levels,
    ancestors: Vec<Box<str>>,
}

impl Rungs {
    /// All levels, and the horizon: for tokens that contain their own claims.
    pub const ALL: Self = Self(None);

    /// Returns only these levels, without the horizon: for credentials that are looked up in their own store.
    pub fn of(levels: impl IntoIterator<Item = Level>) -> Self {
        let mut set = Levels::NONE;
        levels.into_iter().for_each(|level| set.insert(level));
        Self(Some(Arc::new(Named { levels: set, ancestors: Vec::new() })))
    }

    /// Adds the ids of the credentials that it was derived from. A revocation of any of them, as named by [`Level::Token`], also revokes
    /// it. That level then applies, also to the credential's own id.
    ///
    /// [`Rungs::ALL`] is not changed: a token that contains its own claims is not derived from another.
    #[must_use]
    pub fn with_ancestors<S: Into<Box<str>>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        if let Some(named) = &mut self.0 {
            let named = Arc::make_mut(named);
            named.levels.insert(Level::Token);
            named.ancestors.extend(ids.into_iter().map(Into::into));
        }
        self
    }

    pub(crate) fn levels(&self) -> Levels {
        self.0.as_ref().map_or(Levels::ALL, |named| named.levels)
    }

    pub(crate) fn has_horizon(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn ancestor_ids(&self) -> &[Box<str>] {
        self.0.as_ref().map_or(&[], |named| &named.ancestors)
    }
}

impl Default for Rungs {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Debug for Rungs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = Level::ALL.into_iter().filter(|level| self.levels().has(*level));
        f.debug_struct("Rungs")
            .field("levels", &levels.map(Level::as_str).collect::<Vec<_>>())
            .field("has_horizon", &self.has_horizon())
            .field("ancestors", &self.ancestor_ids().len())
            .finish()
    }
}
