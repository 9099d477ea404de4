//! [`space_separated`]: lists of scopes and the like.

/// Returns the words of a list that is separated by spaces (RFC 6749 section 3.3): scopes, prompts, classes of authentication.
pub(crate) fn space_separated(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}
