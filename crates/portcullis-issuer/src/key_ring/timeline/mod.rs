//! [`Timeline`]: what happens when, for each key.

mod svg;

use std::{fmt, time::Duration};

use portcullis_core::{Algorithm, UnixTime, keys::KeyState, text::LogText};

use super::{ForcedStep, KeyPlan, RingDocument, RingKey, RingWarning};
use crate::date::Date;

/// What happens when, for each key of a ring, and what a leak would cost now. `Display` writes it as plain text, and
/// [`to_svg`](Self::to_svg) draws it.
///
/// ```
/// use portcullis_core::{Algorithm, UnixTime};
/// use portcullis_issuer::key_ring::{KeyPlan, RingDocument, RingKey, Sealing, Timeline};
///
/// let now = UnixTime::from_secs(1_800_000_000);
/// let key = || RingKey::generate(Algorithm::EdDsa, &Sealing::danger_none());
/// let document = RingDocument::first(key()?, key()?, now);
/// let text = Timeline::new(&document, &KeyPlan::new(), now).to_string();
/// assert!(text.contains("2027-01-15 08:00:00 UTC  signs"));
/// assert!(text.contains("2027-01-15 21:06:11 UTC  may sign"));
/// # Ok::<(), portcullis_issuer::key_ring::KeyRingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    now: UnixTime,
    keys: Vec<KeyTimes>,
    /// How long a key that is revoked now is used by verifiers.
    emergency: Duration,
    read_every: Duration,
    warnings: Vec<RingWarning>,
    forced: Vec<ForcedStep>,
}

/// The times of one key, the earliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyTimes {
    id: String,
    algorithm: Algorithm,
    state: KeyState,
    moments: Vec<(UnixTime, Moment)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Published,
    MaySign,
    Signs,
    /// The end, if it is replaced now.
    EndIfReplacedNow,
    End,
    Revoked,
    Forgotten,
}

impl Timeline {
    /// Returns the timeline of a document at `now`.
    pub fn new(document: &RingDocument, plan: &KeyPlan, now: UnixTime) -> Self {
        Self {
            now,
            keys: document.keys().map(|key| KeyTimes::new(key, plan, now)).collect(),
            emergency: plan.learned_by_all(),
            read_every: plan.read_interval(),
            warnings: document.warnings(plan, now),
            forced: document.forced().to_vec(),
        }
    }

    /// Returns for how long verifiers may use a key that is revoked now, if they learn of it from the published key set alone.
    pub fn emergency(&self) -> Duration {
        self.emergency
    }

    /// Returns what an operator should mend.
    pub fn warnings(&self) -> &[RingWarning] {
        &self.warnings
    }

    /// Draws the timeline as an SVG image of its own: readable on a light or dark page, with a title and a description for screen readers. It has no script, and
    /// refers to nothing outside of it.
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    fn emergency_text(&self) -> String {
        let (hours, minutes) = (self.emergency.as_secs() / 3600, self.emergency.as_secs() % 3600 / 60);
        let cost = match self
            .warnings
            .iter()
            .find(|warning| !matches!(warning, RingWarning::Unsealed | RingWarning::Clocks { .. }))
        {
            None => "No request with a new token would be refused.".to_owned(),
            Some(_) => "Requests with new tokens would be refused, see the warnings.".to_owned(),
        };
        format!(
            "If the active key is revoked now, the instances of this issuer stop using it within {} s, and verifiers that only know the \
             published key set within {hours} h {minutes} min. {cost}",
            self.read_every.as_secs()
        )
    }
}

impl KeyTimes {
    fn new(key: &RingKey, plan: &KeyPlan, now: UnixTime) -> Self {
        let mut moments = vec![(key.published_at(), Moment::Published)];
        moments.extend(key.activated_at().map(|at| (at, Moment::Signs)));
        match key.state() {
            KeyState::Standby => moments.push((plan.signs_from(key.published_at()), Moment::MaySign)),
            KeyState::Active => {
                moments.push((plan.published_until(now, key.longest_life()), Moment::EndIfReplacedNow));
            }
            KeyState::Retiring { until } => moments.push((until, Moment::End)),
            _ => {
                moments.extend(key.revoked_at().map(|at| (at, Moment::Revoked)));
                moments.extend(key.over_at().map(|at| (at, Moment::Forgotten)));
            }
        }
        moments.sort();
        Self { id: key.id().to_owned(), algorithm: key.algorithm(), state: key.state(), moments }
    }

    fn state_text(&self) -> &'static str {
        match self.state {
            KeyState::Active => "active",
            KeyState::Retiring { .. } => "retiring",
            KeyState::Revoked => "revoked",
            _ => "standby",
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "published",
            Self::MaySign => "may sign",
            Self::Signs => "signs",
            Self::EndIfReplacedNow => "published until then, if it is replaced now",
            Self::End => "published until then",
            Self::Revoked => "revoked",
            Self::Forgotten => "forgotten",
        })
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Keys at {}", Date(self.now))?;
        for key in &self.keys {
            writeln!(f, "\n{} ({}), {}", LogText::new(&key.id), key.algorithm, key.state_text())?;
            for (instant, moment) in &key.moments {
                writeln!(f, "  {}  {moment}", Date(*instant))?;
            }
        }
        writeln!(f, "\n{}", self.emergency_text())?;
        for warning in &self.warnings {
            writeln!(f, "Warning: {}", LogText::new(warning))?;
        }
        for ForcedStep { at, step, key, why, safe_from } in &self.forced {
            write!(f, "Forced at {}: {step} {}, because: {}", Date(*at), LogText::new(key), LogText::new(why))?;
            match safe_from {
                Some(instant) => writeln!(f, " (safe at {})", Date(*instant))?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
