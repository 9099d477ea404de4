//! [`Layout`]: the keys on the server, and the parsing of its answers.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use portcullis_core::revocation::{LogError, RevocationEntry};
use redis::{Cmd, Value, cmd};

/// The two keys of a log.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// A hash with the incarnation of the log and the horizons of its users.
    pub(super) marker: String,
    /// The stream of entries.
    pub(super) stream: String,
    horizon: Duration,
}

/// The field of the marker with the incarnation, in hexadecimal digits.
const INCARNATION: &str = "incarnation";

/// The prefix of the marker's fields that each name a horizon, in seconds. There is a field for each, so that instances
/// with different horizons need not agree: the longest one counts.
const HORIZON: &str = "horizon:";

/// The field of an entry in the stream.
pub(super) const ENTRY: &str = "e";

/// How many entries to ask for at once: about 100 kB. The task that follows the log asks again if an answer takes 0.9
/// s, and gives up after a while, so a page must be much faster than that even on a slow machine. Pages of 5000 take
/// about twice as long, and do not read a million entries any faster (BENCHMARKS.md).
pub(super) const PAGE: usize = 1000;

/// How much longer than the horizon an entry stays: its `until` may be later by the entry's margin, and the clocks of
/// service and server may differ by 20 minutes.
const MARGIN: Duration = RevocationEntry::MARGIN.saturating_add(Duration::from_secs(20 * 60));

impl Layout {
    /// The braces make a cluster keep both keys on one server.
    pub(super) fn new(name: &str, horizon: Duration) -> Self {
        Self { marker: format!("{{{name}}}:log"), stream: format!("{{{name}}}:revocations"), horizon }
    }

    pub(super) fn renamed(&self, name: &str) -> Self {
        Self::new(name, self.horizon)
    }

    pub(super) fn horizon(&self) -> Duration {
        self.horizon
    }

    pub(super) fn with_horizon(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    fn horizon_field(&self) -> String {
        let seconds = self.horizon.as_secs().saturating_add(u64::from(self.horizon.subsec_nanos() > 0));
        format!("{HORIZON}{seconds}")
    }

    /// Returns commands that create the marker if there is none, and add our horizon to it.
    pub(super) fn register(&self) -> [Cmd; 2] {
        let random = format!("{:032x}", random());
        [(INCARNATION.to_owned(), random), (self.horizon_field(), "1".to_owned())]
            .map(|(field, value)| cmd("HSETNX").arg(&self.marker).arg(field).arg(value).take())
    }

    /// Returns the command that reads the marker.
    pub(super) fn marker(&self) -> Cmd {
        cmd("HGETALL").arg(&self.marker).take()
    }

    /// Returns the command that adds an entry. The server numbers it.
    pub(super) fn add(&self, entry: &RevocationEntry) -> Cmd {
        cmd("XADD").arg(&self.stream).arg("*").arg(ENTRY).arg(entry.to_json()).take()
    }

    /// Returns the command that removes older entries, roughly: only whole nodes of the server's tree, at almost no
    /// cost.
    pub(super) fn trim(&self, before: u64) -> Cmd {
        cmd("XTRIM").arg(&self.stream).arg("MINID").arg("~").arg(before).take()
    }
}

/// The content of the marker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marker {
    /// `None` if there is no log, or no longer one.
    pub(super) incarnation: Option<u128>,
    longest: Duration,
}

impl Marker {
    pub(super) fn read(fields: &HashMap<String, String>) -> Result<Self, LogError> {
        let incarnation = fields.get(INCARNATION).map(|text| u128::from_str_radix(text, 16)).transpose();
        let incarnation = incarnation.map_err(|error| {
            LogError::corrupt("the marker of the log in Redis holds no number of 128 bits as its incarnation")
                .with_source(error)
        })?;
        let horizons = fields.keys().filter_map(|field| field.strip_prefix(HORIZON)?.parse().ok());
        let longest = Duration::from_secs(horizons.max().unwrap_or(0));
        Ok(Self { incarnation, longest })
    }

    /// Whether it already has everything that this layout needs.
    pub(super) fn is_complete_for(&self, layout: &Layout) -> bool {
        self.incarnation.is_some() && self.longest >= layout.horizon
    }

    /// Returns the millisecond before which entries may be deleted, if `now` has been reached. It stays correct if
    /// horizons are added later: entries that need a longer one are added after it.
    pub(super) fn forgettable(&self, now: u64) -> u64 {
        let kept = self.longest.saturating_add(MARGIN).as_millis();
        now.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX))
    }
}

/// A place in the stream: the millisecond in which the server added the entry, and its number within that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) millisecond: u64,
    number: u64,
}

impl Place {
    /// The place before all entries.
    pub(super) const BEGINNING: Self = Self { millisecond: 0, number: 0 };

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
    pub(super) fn from_position(position: u128) -> Self {
        Self { millisecond: (position >> 64) as u64, number: position as u64 }
    }

    pub(super) fn position(self) -> u128 {
        u128::from(self.millisecond) << 64 | u128::from(self.number)
    }

    /// Returns it as the server writes it.
    pub(super) fn id(self) -> String {
        format!("{}-{}", self.millisecond, self.number)
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let (millisecond, number) = text(value)?.split_once('-')?;
        Some(Self { millisecond: millisecond.parse().ok()?, number: number.parse().ok()? })
    }
}

/// Random bits of the operating system, from the seed of a hash table.
fn random() -> u128 {
    let half = |salt: u8| u128::from(RandomState::new().hash_one(salt));
    half(0) << 64 | half(1)
}

/// Returns a text; `None` if the answer does not have the form that Redis gives it, as below.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// Returns a list; nil is an empty one.
pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        Value::Nil => Some(Vec::new()),
        _ => None,
    }
}

/// Returns the place of the first of these entries, if there is one.
pub(super) fn first_place(entries: &Value) -> Option<Place> {
    let Value::Array(entries) = entries else { return None };
    let Some(Value::Array(first)) = entries.first() else { return None };
    Place::read(first.first()?)
}

/// Returns what `XREAD` answers about our only stream.
pub(super) fn of_one_stream(answer: Value) -> Option<Vec<Value>> {
    match list(answer)?.pop() {
        None => Some(Vec::new()),
        Some(Value::Array(mut stream)) => list(stream.pop()?),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_horizon_of_all_users_holds() {
        let fields =
            [("incarnation", "0f"), ("horizon:60", "1"), ("horizon:3600", "1"), ("horizon:no", "1"), ("x", "")];
        let marker = Marker::read(&fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into()).unwrap();
        assert_eq!(marker.incarnation, Some(15));
        assert_eq!(marker.forgettable(10_000_000), 10_000_000 - 5_400_000);
        assert!(marker.is_complete_for(&Layout::new("a", Duration::from_secs(3600))));
        assert!(!marker.is_complete_for(&Layout::new("a", Duration::from_secs(3601))));
    }

    #[test]
    fn an_endless_horizon_forgets_nothing() {
        let marker = Marker { incarnation: None, longest: Duration::MAX };
        assert_eq!(marker.forgettable(u64::MAX - 1), 0);
    }

    #[test]
    fn no_two_incarnations_are_alike() {
        assert_ne!(random(), random());
    }

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
