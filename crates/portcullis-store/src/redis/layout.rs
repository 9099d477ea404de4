//! What stands where on the server, and how it is read.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use portcullis_core::revocation::{LogError, RevocationEntry};
use redis::{Cmd, cmd};

/// The two keys of a log.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// A hash: which incarnation of the log it is, and which horizons its users have.
    pub(super) marker: String,
    /// The stream of entries.
    pub(super) stream: String,
    horizon: Duration,
}

/// The field of the marker that holds the incarnation, in hexadecimal digits.
const INCARNATION: &str = "incarnation";

/// What the fields of the marker begin with that each name a horizon, in seconds. One field for each, so that instances with different
/// ones need not agree: the longest holds.
const HORIZON: &str = "horizon:";

/// The field of an entry in the stream.
pub(super) const ENTRY: &str = "e";

/// For how much longer than the horizon an entry stays: for that by which its `until` may lie behind it, and for the 20 minutes by which
/// the clocks of service and server may differ.
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

    /// Creates the marker where there is none, and adds our horizon to it.
    pub(super) fn register(&self) -> [Cmd; 2] {
        let random = format!("{:032x}", random());
        [(INCARNATION.to_owned(), random), (self.horizon_field(), "1".to_owned())]
            .map(|(field, value)| cmd("HSETNX").arg(&self.marker).arg(field).arg(value).take())
    }

    /// Asks for the marker.
    pub(super) fn marker(&self) -> Cmd {
        cmd("HGETALL").arg(&self.marker).take()
    }

    /// Adds an entry. The server numbers it.
    pub(super) fn add(&self, entry: &RevocationEntry) -> Cmd {
        cmd("XADD").arg(&self.stream).arg("*").arg(ENTRY).arg(entry.to_json()).take()
    }

    /// Removes what is older, roughly: whole nodes of the server's tree, which costs it next to nothing.
    pub(super) fn trim(&self, before: u64) -> Cmd {
        cmd("XTRIM").arg(&self.stream).arg("MINID").arg("~").arg(before).take()
    }
}

/// What the marker says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marker {
    /// `None` if there is no log yet, or no more.
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

    /// Whether nothing has to be added to it for us.
    pub(super) fn is_complete_for(&self, layout: &Layout) -> bool {
        self.incarnation.is_some() && self.longest >= layout.horizon
    }

    /// Before which millisecond entries may be forgotten when `now` is a millisecond that has come. Stays true later, whatever horizons
    /// are added: entries that need a longer one come after it was added.
    pub(super) fn forgettable(&self, now: u64) -> u64 {
        let kept = self.longest.saturating_add(MARGIN).as_millis();
        now.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX))
    }
}

/// From the operating system, by way of what it gives to hash tables.
fn random() -> u128 {
    let half = |salt: u8| u128::from(RandomState::new().hash_one(salt));
    half(0) << 64 | half(1)
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
}
