//! [`Ticket`]: what pages carry from one to the next.
//!
//! ```text
//! kind 1 | started, in seconds 8 | made, in seconds 8 | binding 16 | content
//! ```
//!
//! That is the content of its [`Envelope`], so that no page of another site, and no user, can make one.

use std::time::Duration;

use portcullis_core::UnixTime;

use crate::refresh::{Envelope, RefreshKey, RefreshKeys};

const ENVELOPE: Envelope =
    Envelope { prefix: "ptk_", version: 4, context: b"portcullis tk 4", most_characters: 32 * 1024 };

/// How long a user may take for a page.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What pages carry from one to the next.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) kind: TicketKind,
    /// When the request came.
    pub(super) started_at: UnixTime,
    /// When the page was made.
    pub(super) made_at: UnixTime,
    /// To whom it was shown.
    pub(super) binding: [u8; 16],
    /// The request.
    pub(super) content: String,
}

/// What a ticket is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TicketKind {
    /// A request, while the user logs in.
    Request,
    /// The question whether a client may act for the user.
    Question,
    /// The question whether a device may act for the user.
    Device,
}

impl TicketKind {
    const fn octet(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Question => 2,
            Self::Device => 3,
        }
    }
}

impl Ticket {
    pub(super) fn seal(&self, key: &RefreshKey) -> String {
        let mut octets = vec![self.kind.octet()];
        octets.extend(self.started_at.as_secs().to_be_bytes());
        octets.extend(self.made_at.as_secs().to_be_bytes());
        octets.extend(self.binding);
        octets.extend(self.content.as_bytes());
        ENVELOPE.seal(&octets, key).to_string()
    }

    /// Reads a ticket of this kind that is not too old; `None` if this server has not made it, or not for this.
    pub(super) fn open(text: &str, kind: TicketKind, keys: &RefreshKeys, now: UnixTime) -> Option<Self> {
        let octets = ENVELOPE.open(text, |id| keys.find(id))?;
        let ([octet], rest) = octets.split_first_chunk::<1>()?;
        if *octet != kind.octet() {
            return None;
        }
        let (started_at, rest) = rest.split_first_chunk::<8>()?;
        let (made_at, rest) = rest.split_first_chunk::<8>()?;
        let (binding, content) = rest.split_first_chunk::<16>()?;
        let ticket = Self {
            kind,
            started_at: UnixTime::from_secs(u64::from_be_bytes(*started_at)),
            made_at: UnixTime::from_secs(u64::from_be_bytes(*made_at)),
            binding: *binding,
            content: String::from_utf8(content.to_vec()).ok()?,
        };
        (now < ticket.made_at.plus(LIFETIME)).then_some(ticket)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use portcullis_core::UnixTime;

    use super::{RefreshKeys, Ticket, TicketKind};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn a_ticket_is_read_for_an_hour_by_its_server_and_for_its_purpose() {
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let ticket = Ticket {
            kind: TicketKind::Question,
            started_at: NOW,
            made_at: NOW,
            binding: [7; 16],
            content: "client_id=page".to_owned(),
        };
        let text = ticket.seal(keys.current());
        let open = |text: &str, at: u64| Ticket::open(text, TicketKind::Question, &keys, UnixTime::from_secs(at));
        assert!(open(&text, NOW.as_secs() + 3599).is_some_and(|read| read == ticket));
        assert!(open(&text, NOW.as_secs() + 3600).is_none());
        assert!(Ticket::open(&text, TicketKind::Device, &keys, NOW).is_none());
        assert!(Ticket::open(&text, TicketKind::Request, &keys, NOW).is_none());
        assert!(Ticket::open(&text, TicketKind::Question, &RefreshKeys::new(1, [2; 32]).unwrap(), NOW).is_none());
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(open(str::from_utf8(&other).unwrap(), NOW.as_secs()).is_none(), "changed at {at}");
        }
    }
}
