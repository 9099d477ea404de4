//! [`Limit`]: a number that must not be exceeded.

use crate::token::{Object, Read};

/// A limit. In tokens, a negative number is none. Beware: where a limit is absent from a token of version 2, it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// There is none.
    Unlimited,
    /// At most this much.
    AtMost(u64),
}

impl Limit {
    /// The limit that lets nothing pass.
    pub const NOTHING: Self = Self::AtMost(0);

    /// Returns the stricter of two limits.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unlimited, limit) | (limit, Self::Unlimited) => limit,
            (Self::AtMost(one), Self::AtMost(other)) => Self::AtMost(one.min(other)),
        }
    }

    /// Returns the number; `None` if there is no limit.
    pub const fn at_most(self) -> Option<u64> {
        match self {
            Self::Unlimited => None,
            Self::AtMost(number) => Some(number),
        }
    }

    /// Whether this many are allowed.
    pub fn allows(self, count: usize) -> bool {
        self.at_most().is_none_or(|most| u64::try_from(count).is_ok_and(|count| count <= most))
    }

    pub(super) fn read(object: &Object<'_>, name: &str, absent: Self) -> Read<Self> {
        let value = object.int(name)?;
        Ok(value.map_or(absent, |value| u64::try_from(value).map_or(Self::Unlimited, Self::AtMost)))
    }

    /// Returns the number as tokens have it.
    #[cfg(feature = "mint")]
    pub(crate) fn to_claim(self) -> i64 {
        self.at_most().map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX))
    }
}
