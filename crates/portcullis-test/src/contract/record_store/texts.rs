//! Rules about what a record says.

use std::time::Duration;

use portcullis_issuer::records::{NewRecord, Record, RecordStore, Swapped};

use super::{RecordPlace, RecordStoreContract, UNKNOWN};
use crate::must::must;

const DAY: Duration = Duration::from_secs(86_400);

impl<P: RecordPlace> RecordStoreContract<P> {
    pub(super) async fn an_absent_record_is_none(&mut self) {
        let key = self.new_key();
        assert_eq!(self.found(&key).await, None, "the contract starts with an empty store");
        for next in [None, Some(NewRecord::new("text"))] {
            let outcome = self.swap(&key, Some(UNKNOWN), next).await;
            assert_eq!(outcome, Swapped::Conflict, "a record that does not exist was changed");
        }
        assert_eq!(self.swap(&key, None, None).await, Swapped::Stored, "a record that does not exist is none");
        assert_eq!(self.found(&key).await, None, "a refused change was stored");
    }

    pub(super) async fn any_text_comes_back_as_it_was_to_every_instance(&mut self) {
        let (key, early) = (self.new_key(), self.store().await);
        must(early.find(&key).await.map(drop), "a record cannot be found");
        let now = must(early.now().await, "the store has no time");
        let odd = " {\"línea\":\"\\u0000 \0 \u{1f980} ' ; -- $1 %s 1 2\\n\"}\r\n\t ";
        let longest = [Record::MOST_BYTES / 4, Record::MOST_BYTES, Record::MOST_BYTES];
        let long = ["\u{1f980}".repeat(longest[0]), "\"".repeat(longest[1]), "\0".repeat(longest[2])];
        // The same text again is another change.
        for text in [odd, "", &long[0], &long[1], &long[2], "1", "1"] {
            for until in [None, Some(now.plus(DAY)), Some(NewRecord::LATEST_END)] {
                let next = NewRecord::new(text);
                let next = if let Some(until) = until { next.until(until) } else { next };
                self.write(&key, next).await;
                let seen = must(early.find(&key).await, "a record cannot be found");
                let is_same = seen.is_some_and(|seen| seen.text() == text && seen.until() == until);
                assert!(is_same, "an instance that was open sees another record");
            }
        }
    }

    pub(super) async fn a_text_that_is_too_long_is_refused(&mut self) {
        let (key, absent) = (self.new_key(), self.new_key());
        let version = self.write(&key, NewRecord::new("before")).await;
        for too_long in ["x".repeat(Record::MOST_BYTES + 1), "\u{1f980}".repeat(Record::MOST_BYTES / 4 + 1)] {
            let store = self.store().await;
            let outcome = store.swap(&key, Some(version), Some(NewRecord::new(&*too_long))).await;
            assert!(outcome.is_err(), "a text that is too long was accepted for a change: {outcome:?}");
            assert_eq!(self.version(&key).await, Some(version), "a text that is too long was stored");
            let outcome = store.swap(&absent, None, Some(NewRecord::new(&*too_long))).await;
            assert!(outcome.is_err(), "a text that is too long was accepted for a new record: {outcome:?}");
            assert_eq!(self.found(&absent).await, None, "a text that is too long was stored");
        }
    }
}
