//! [`KeyEvent`]: what an operator wants to know about keys.

use std::sync::Arc;

use portcullis_core::{UnixTime, keys::KeyState};

use super::{ForcedStep, KeyRingError, RingDocument};

/// Something that happened to the keys. Each instance reports it when it learns of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyEvent {
    /// A key is on standby.
    Added {
        /// Its id.
        key: String,
    },
    /// A key signs from now on.
    Activated {
        /// Its id.
        key: String,
    },
    /// A key signs no longer, and is published until its last token has expired.
    Retiring {
        /// Its id.
        key: String,
        /// When it is removed.
        until: UnixTime,
    },
    /// A key was revoked.
    Revoked {
        /// Its id.
        key: String,
    },
    /// A key was forgotten.
    Removed {
        /// Its id.
        key: String,
    },
    /// A step was forced, or a key was revoked: the record of it.
    Forced(ForcedStep),
    /// The store had lost changes. This instance has put them back, and the store has them.
    LostChanges,
    /// The document cannot be read, or not understood, or the read ended in a panic. Reported once, until it can be read again. After the time of
    /// [`KeyPlan::store_outage`](super::KeyPlan::store_outage), nothing is signed any more.
    Unreadable {
        /// Why.
        error: KeyRingError,
    },
    /// The document can be read again.
    Readable,
}

pub(super) type Listener = Arc<dyn Fn(&KeyEvent) + Send + Sync>;

/// Returns what happened between two documents.
pub(super) fn between(before: &RingDocument, after: &RingDocument) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    for key in after.keys() {
        let id = || key.id().to_owned();
        let known = before.key(key.id());
        if known.is_none() {
            events.push(KeyEvent::Added { key: id() });
        }
        let (was, is) = (known.map(super::RingKey::state), key.state());
        match is {
            KeyState::Active if was != Some(is) => events.push(KeyEvent::Activated { key: id() }),
            KeyState::Retiring { until } if was != Some(is) => events.push(KeyEvent::Retiring { key: id(), until }),
            KeyState::Revoked if was != Some(is) => events.push(KeyEvent::Revoked { key: id() }),
            _ => {}
        }
    }
    let gone = before.keys().filter(|key| after.key(key.id()).is_none());
    events.extend(gone.map(|key| KeyEvent::Removed { key: key.id().to_owned() }));
    let forced = after.forced().iter().filter(|step| !before.forced().contains(step));
    events.extend(forced.cloned().map(KeyEvent::Forced));
    events
}
