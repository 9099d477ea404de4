//! Where in the claims something stands.

use super::pointer;

/// A place in the claims: a JSON pointer (RFC 6901), and how a text at that place is delimited, if it is a list.
///
/// Made from the pointer alone by `into()`, wherever a method takes `impl Into<ClaimPlace>`.
///
/// In a pointer, `/` leads from an object to its member. A `/` that is part of a member's name is written `~1`, a `~`
/// is written `~0`: the claim `https://ns/roles` is at `/https:~1~1ns~1roles`. [`named`](Self::named) does that for you.
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
    /// The place at a JSON pointer such as `/realm_access/roles`.
    ///
    /// Nothing is checked here: the [`TrustedIssuer`](crate::TrustedIssuer) or the requirement that gets the place
    /// reports what is wrong with it, at start.
    pub fn new(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), delimiter: None }
    }

    /// The claim of that name, whatever characters it has: `https://ns/roles`.
    pub fn named(claim: &str) -> Self {
        Self::new(pointer::of_name(claim))
    }

    /// Takes a text at this place for a list, delimited by this character: a space or a comma, as a rule. Spaces around an
    /// element do not count.
    ///
    /// Defaults to no delimiter: a text is one value, spaces included. With a delimiter that the issuer does not mean,
    /// the role `Former Admins` gives the roles `Former` and `Admins`.
    #[must_use]
    pub fn delimited_by(mut self, delimiter: char) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// The JSON pointer.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The delimiter, if a text at this place is a list.
    pub fn delimiter(&self) -> Option<char> {
        self.delimiter
    }

    /// Whether an empty text at this place counts as absent: at `/sub`, `/jti`, `/sid` and `/client_id`, which name something.
    pub fn leads_to_name(&self) -> bool {
        pointer::leads_to_name(&self.pointer)
    }

    /// Returns what is wrong with this place and how to mend it; `None` if it can be used.
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
