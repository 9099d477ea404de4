//! [`ClaimPlace`]: a place in the claims.

use super::pointer;

/// A place in the claims: a JSON pointer (RFC 6901), and the delimiter of strings at that place, if they are lists.
///
/// A pointer alone converts with `into()`, wherever a method takes `impl Into<ClaimPlace>`.
///
/// In a pointer, `/` leads from an object to its member. In a member's name, `/` is written `~1` and `~` is written `~0`: the claim
/// `https://ns/roles` is at `/https:~1~1ns~1roles`. [`named`](Self::named) does this for you.
///
/// ```
/// use portcullis_core::claims::ClaimPlace;
///
/// assert_eq!(ClaimPlace::named("https://ns/roles"), ClaimPlace::from("/https:~1~1ns~1roles"));
/// let groups = ClaimPlace::new("/ad/groups").delimited_by(','); // {"ad": {"groups": "staff, Former Admins"}}
/// assert_eq!(groups.delimiter(), Some(','));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPlace {
    pointer: String,
    delimiter: Option<char>,
}

impl ClaimPlace {
    /// Returns the place at a JSON pointer such as `/realm_access/roles`.
    ///
    /// The pointer is not checked here: the [`TrustedIssuer`](crate::TrustedIssuer) or the requirement that gets the place reports
    /// problems, at start.
    pub fn new(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), delimiter: None }
    }

    /// Returns the place of the claim with this name, whatever characters it has: `https://ns/roles`.
    pub fn named(claim: &str) -> Self {
        Self::new(pointer::of_name(claim))
    }

    /// Treats a string at this place as a list with this delimiter, usually a space or a comma. Spaces around an element are ignored.
    ///
    /// Defaults to no delimiter: a string is one value, spaces included. With a wrong delimiter, the role `Former Admins` grants the
    /// roles `Former` and `Admins`.
    #[must_use]
    pub fn delimited_by(mut self, delimiter: char) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Returns the JSON pointer.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns the delimiter, if strings at this place are lists.
    pub fn delimiter(&self) -> Option<char> {
        self.delimiter
    }

    /// Whether an empty string at this place counts as absent, because the claim is a name: `/sub`, `/jti`, `/sid` and `/client_id`.
    pub fn leads_to_name(&self) -> bool {
        pointer::leads_to_name(&self.pointer)
    }

    /// Returns what is wrong with this place and how to correct it; `None` if it can be used.
    pub fn problem(&self) -> Option<String> {
        pointer::problem(&self.pointer).or_else(|| {
            let delimiter = self.delimiter.filter(|delimiter| delimiter.is_alphanumeric())?;
            let pointer = self.pointer.escape_debug();
            Some(format!("`{pointer}` is delimited by `{delimiter}`, which is part of names: give a space, or a comma"))
        })
    }
}

impl From<&str> for ClaimPlace {
    fn from(pointer: &str) -> Self {
        Self::new(pointer)
    }
}

impl From<String> for ClaimPlace {
    fn from(pointer: String) -> Self {
        Self::new(pointer)
    }
}

impl From<&String> for ClaimPlace {
    fn from(pointer: &String) -> Self {
        Self::new(pointer)
    }
}
