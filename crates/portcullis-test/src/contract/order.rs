//! Rules about the order of entries.

use portcullis_core::revocation::RevocationEntry;

use super::{LogPlace, LogReader, RevocationLogContract, reader::append};

impl<P: LogPlace> RevocationLogContract<P> {
    pub(super) async fn entries_of_one_writer_come_in_their_order(&mut self) {
        let mut early = self.reader().await;
        early.catch_up().await;
        early.order.clear();
        let log = self.place.open().await;
        let entries = self.entries(40);
        let (one_by_one, at_once) = entries.split_at(10);
        for entry in one_by_one {
            append(&log, std::slice::from_ref(entry)).await;
        }
        append(&log, at_once).await;
        early.catch_up().await;
        assert_eq!(early.order, entries, "what one writer appended is read in another order");
    }

    pub(super) async fn every_reader_sees_the_same_order(&mut self) {
        let mut first = self.reader().await;
        first.catch_up().await;
        let cursor = first.cursor;
        first.order.clear();
        let (one, two) = (self.place.open().await, self.place.open().await);
        let (of_one, of_two) = (self.entries(25), self.entries(25));
        let write = async |log, entries: &[RevocationEntry]| {
            for entry in entries {
                append(log, std::slice::from_ref(entry)).await;
            }
        };
        tokio::join!(write(&one, &of_one), write(&two, &of_two));
        first.catch_up().await;
        let mut second = LogReader::at(self.place.open().await, cursor);
        second.catch_up().await;
        assert_eq!(first.order.len(), 50);
        assert_eq!(first.order, second.order, "two readers see two orders");
    }
}
