//! Answers of the server, taken apart. `None` where they are of another form than Redis gives them.

use portcullis_core::revocation::Page;
use redis::Value;

use super::layout::ENTRY;

/// A place in the stream: the millisecond at which the server added the entry, and its number in that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) millisecond: u64,
    number: u64,
}

impl Place {
    /// Before everything.
    pub(super) const BEGINNING: Self = Self { millisecond: 0, number: 0 };

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
    pub(super) fn from_position(position: u128) -> Self {
        Self { millisecond: (position >> 64) as u64, number: position as u64 }
    }

    pub(super) fn position(self) -> u128 {
        u128::from(self.millisecond) << 64 | u128::from(self.number)
    }

    /// As the server writes it.
    pub(super) fn id(self) -> String {
        format!("{}-{}", self.millisecond, self.number)
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let (millisecond, number) = text(value)?.split_once('-')?;
        Some(Self { millisecond: millisecond.parse().ok()?, number: number.parse().ok()? })
    }
}

/// A text.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// A list; nothing is an empty one.
pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        Value::Nil => Some(Vec::new()),
        _ => None,
    }
}

/// Whether the answer to `ROLE` is a master's.
pub(super) fn is_master(role: &Value) -> bool {
    matches!(role, Value::Array(values) if values.first().and_then(text) == Some("master"))
}

/// Where the first of these entries is, if there is any.
pub(super) fn first_place(entries: &Value) -> Option<Place> {
    let Value::Array(entries) = entries else { return None };
    let Some(Value::Array(first)) = entries.first() else { return None };
    Place::read(first.first()?)
}

/// What `XREAD` says of our one stream.
pub(super) fn of_one_stream(answer: Value) -> Option<Vec<Value>> {
    match list(answer)?.pop() {
        None => Some(Vec::new()),
        Some(Value::Array(mut stream)) => list(stream.pop()?),
        Some(_) => None,
    }
}

/// Adds an entry of the stream to the page, and says where it was.
pub(super) fn take(entry: Value, page: &mut Page) -> Option<Place> {
    let mut parts = list(entry)?.into_iter();
    let place = Place::read(&parts.next()?)?;
    // Fields and values by turns.
    let mut fields = list(parts.next()?)?.into_iter();
    let mut found = None;
    while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
        if text(&field) == Some(ENTRY) {
            found = Some(value);
        }
    }
    match found.as_ref().and_then(text) {
        Some(text) => page.take(text),
        None => page.unreadable += 1,
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_position_and_a_text() {
        let place = Place { millisecond: u64::MAX, number: 7 };
        assert_eq!(Place::from_position(place.position()), place);
        assert_eq!(Place::read(&Value::SimpleString(place.id())), Some(place));
        for odd in ["", "-", "1", "1-", "-1", "1-x", "18446744073709551616-0"] {
            assert_eq!(Place::read(&Value::SimpleString(odd.to_owned())), None, "{odd}");
        }
    }
}
