//! A row: the form in which a file, Redis and NATS keep a record.
//!
//! It is a line with the form (`1`), the version, and the end in milliseconds or `-`; and then the text. Text is not escaped, so that a row is hardly
//! longer than its text, and a script finds the version and the end by a pattern.

use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordVersion},
    refresh::Millis,
};

use super::unreadable;
use crate::signing_keys::new_version;

/// The form of the rows that this crate reads and writes; `swap.lua` knows it, too.
const FORM: &str = "1";

/// Returns a row of a version that no record had before.
pub(super) fn new(record: &NewRecord) -> String {
    let end = record.ends_at().map_or_else(|| "-".to_owned(), |until| until.get().to_string());
    format!("{FORM} {} {end}\n{}", new_version(), record.text())
}

/// Returns the record in a row, whether it has ended or not.
pub(super) fn read(row: &[u8]) -> Result<Record, StoreError> {
    try_to_read(row).ok_or_else(unreadable)
}

/// Returns the record in a row, unless it has ended.
pub(super) fn live(row: &[u8], now: Millis) -> Result<Option<Record>, StoreError> {
    Ok(Some(read(row)?).filter(|record| !has_ended(record, now)))
}

pub(super) fn has_ended(record: &Record, now: Millis) -> bool {
    record.until().is_some_and(|until| until <= now)
}

fn try_to_read(row: &[u8]) -> Option<Record> {
    let (line, text) = str::from_utf8(row).ok()?.split_once('\n')?;
    let (form, line) = line.split_once(' ')?;
    let (version, end) = line.split_once(' ')?;
    let until = if end == "-" { None } else { Some(Millis::new(end.parse().ok()?)) };
    (form == FORM).then_some(())?;
    Some(Record::new(text.to_owned(), RecordVersion::new(version.parse().ok()?), until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "\n", "1 2 3\n", "\0 \u{1f980}"] {
            for until in [None, Some(Millis::new(7)), Some(NewRecord::LATEST_END)] {
                let next = NewRecord::new(text);
                let next = if let Some(until) = until { next.until(until) } else { next };
                let (first, second) = (new(&next), new(&next));
                let record = read(first.as_bytes()).unwrap();
                assert_eq!((record.text(), record.until()), (text, until));
                assert_ne!(read(second.as_bytes()).unwrap().version(), record.version());
            }
        }
    }

    #[test]
    fn a_record_has_ended_at_its_end_and_not_before() {
        let row = b"1 5 1000\ntext";
        assert!(live(row, Millis::new(999)).unwrap().is_some());
        assert!(live(row, Millis::new(1000)).unwrap().is_none());
        assert!(live(b"1 5 -\ntext", Millis::new(u64::MAX)).unwrap().is_some());
    }

    #[test]
    fn other_rows_are_errors() {
        assert!(read(b"1 5 -\n").is_ok());
        let rows: [&[u8]; 12] = [
            b"",
            b"1",
            b"1 5 -",
            b"2 5 -\n",
            b"1 5\n",
            b"1 5 - 6\n",
            b"1 x -\n",
            b"1 5 x\n",
            b"1 -1 -\n",
            b"1 5 \n",
            b"1  5 -\n",
            b"1 5 -\n\xff",
        ];
        for row in rows {
            assert!(read(row).is_err(), "{:?}", String::from_utf8_lossy(row));
        }
    }
}
