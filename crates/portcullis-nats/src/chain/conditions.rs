//! [`Conditions`]: when and from where a user may come.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use portcullis_core::UnixTime;

use super::refusal::{Refusal, RefusalKind};
use crate::{
    claims::{Terms, TimeRange},
    token::TokenErrorKind,
};

/// When and from where a user may come, ready to be checked.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    sources: Vec<IpNet>,
    times: Vec<(Time, Time)>,
    zone: TimeZone,
}

impl Conditions {
    /// # Errors
    ///
    /// If a network, a time or the time zone cannot be read: the token is then invalid as a whole.
    pub(super) fn new(terms: &Terms) -> Result<Self, Refusal> {
        let sources = terms
            .sources
            .iter()
            .map(|text| text.parse::<IpNet>().map_err(|_| wrong("src", "is no network in CIDR form")));
        let times = terms.times.iter().map(range);
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
            times: times.collect::<Result<_, _>>()?,
            zone: zone(&terms.times_location)?,
        })
    }

    /// Refuses an address that is not in the list, and an unknown one if there is a list.
    pub(super) fn require_source(&self, source: Option<IpAddr>) -> Result<(), Refusal> {
        let source = source.map(|address| address.to_canonical());
        let is_listed = |address: &IpAddr| self.sources.iter().any(|network| network.contains(address));
        if self.sources.is_empty() || source.as_ref().is_some_and(is_listed) {
            return Ok(());
        }
        let why = match source {
            Some(_) => "the user may not come from this address",
            None => "the user may only come from some networks, and the peer's address is not known",
        };
        Err(Refusal::new(RefusalKind::Source, why))
    }

    /// Whether the address of each request matters.
    pub(super) fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Refuses a time that is in no range. Returns when the range ends; `None` if there are no ranges.
    pub(super) fn require_time(&self, now: UnixTime) -> Result<Option<UnixTime>, Refusal> {
        if self.times.is_empty() {
            return Ok(None);
        }
        let refused = || Refusal::new(RefusalKind::TimeRange, "the user may not come at this time of day");
        let seconds = i64::try_from(now.as_secs()).map_err(|_| refused())?;
        let local = self.zone.to_datetime(Timestamp::from_second(seconds).map_err(|_| refused())?).time();
        let ends = self.times.iter().filter(|range| is_in(local, **range)).map(|(_, end)| until(local, *end));
        ends.max().map(|left| Some(now.plus(std::time::Duration::from_secs(left)))).ok_or_else(refused)
    }
}

/// Whether a time is in a range, whose ends are exclusive. A range whose start is after its end goes over midnight.
fn is_in(time: Time, (start, end): (Time, Time)) -> bool {
    if start > end { time > start || time < end } else { time > start && time < end }
}

/// Returns the seconds until the next such time of day.
fn until(time: Time, end: Time) -> u64 {
    const DAY: i64 = 24 * 60 * 60;
    let seconds = |time: Time| i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    u64::try_from((seconds(end) - seconds(time)).rem_euclid(DAY)).unwrap_or_default()
}

fn range(range: &TimeRange) -> Result<(Time, Time), Refusal> {
    Ok((time(&range.start)?, time(&range.end)?))
}

/// Reads `HH:MM:SS`.
fn time(text: &str) -> Result<Time, Refusal> {
    let mut parts =
        text.split(':').map(|part| part.parse::<i8>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())));
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("times", "has a time that does not have the form HH:MM:SS"));
    };
    Time::new(hour, minute, second, 0).map_err(|_| wrong("times", "has a time that no day has"))
}

fn zone(name: &str) -> Result<TimeZone, Refusal> {
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| wrong("times_location", "is no time zone of the IANA database"))
}

fn wrong(claim: &str, problem: &str) -> Refusal {
    Refusal::new(RefusalKind::User(TokenErrorKind::Invalid), format!("the claim {claim} {problem}"))
}
