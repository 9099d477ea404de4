//! Parses `application/x-www-form-urlencoded` as far as a location needs it: strict about our parameter, and ignoring the others.

use super::Found;
use percent_encoding::percent_decode;
use portcullis_core::ConfigError;

/// Any name is possible except an empty one, which would match every `&&`.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), ConfigError> {
    if name.is_empty() { Err(ConfigError::new(format!("{what} is empty: name it"))) } else { Ok(()) }
}

/// Looks for the credential among `name=value` pairs between `&`.
///
/// A parameter is ours if its decoded name is: the inner service would read `acc%65ss_token` as `access_token`.
pub(crate) fn find<'r>(pairs: &'r [u8], name: &str) -> Found<'r> {
    let mut ours = split(pairs).filter(|pair| is_named(pair, name));
    match (ours.next(), ours.next()) {
        (None, _) => Found::Absent,
        (Some(pair), None) => credential(name_and_value(pair).1),
        (Some(_), Some(_)) => Found::Several,
    }
}

/// Returns the pairs without ours, the others byte for byte; `None` if nothing is left.
pub(super) fn without(pairs: &[u8], name: &str) -> Option<Vec<u8>> {
    let others: Vec<_> = split(pairs).filter(|pair| !is_named(pair, name)).collect();
    (!others.is_empty()).then(|| others.join(&b'&'))
}

fn split(pairs: &[u8]) -> impl Iterator<Item = &[u8]> {
    pairs.split(|&byte| byte == b'&')
}

fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|&byte| byte == b'=') {
        Some(place) => (&pair[..place], &pair[place + 1..]),
        None => (pair, &[]),
    }
}

fn is_named(pair: &[u8], name: &str) -> bool {
    let (encoded, _) = name_and_value(pair);
    encoded == name.as_bytes() || (encoded.contains(&b'%') && percent_decode(encoded).eq(name.bytes()))
}

fn credential(value: &[u8]) -> Found<'_> {
    // A `+` is a space here, and no credential has a space.
    if value.contains(&b'+') {
        return Found::Malformed("the parameter has a space");
    }
    if value.contains(&b'%') { percent_decoded(value) } else { Found::Token(value.into()) }
}

/// Unlike `percent_decode` alone, it refuses a `%` without two hexadecimal digits.
fn percent_decoded(value: &[u8]) -> Found<'_> {
    let is_hex = |place: usize| value.get(place).is_some_and(u8::is_ascii_hexdigit);
    let mut escapes = value.iter().enumerate().filter(|&(_, &byte)| byte == b'%');
    if !escapes.all(|(place, _)| is_hex(place + 1) && is_hex(place + 2)) {
        return Found::Malformed("the parameter has a `%` without two hexadecimal digits");
    }
    Found::Token(percent_decode(value).collect::<Vec<u8>>().into())
}
