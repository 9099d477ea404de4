//! [`RecordTables`]: the tables of records in the file, in one transaction.

use portcullis_issuer::{
    records::{RecordGroup, RecordKey},
    refresh::Millis,
};
use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};

/// The kind, the group and the id of a record.
type Name<'a> = (&'a str, &'a str, &'a str);

/// The same, for after the tables.
pub(super) type Named = (String, String, String);

/// The rows of records.
const RECORDS: TableDefinition<'_, Name<'_>, &[u8]> = TableDefinition::new("records");

/// When records end, in milliseconds: of those that do.
const ENDS: TableDefinition<'_, (u64, &str, &str, &str), ()> = TableDefinition::new("record_ends");

/// The tables in one transaction. What is read includes what was written in the same transaction.
pub(crate) struct RecordTables<'t> {
    records: Table<'t, Name<'static>, &'static [u8]>,
    ends: Table<'t, (u64, &'static str, &'static str, &'static str), ()>,
    /// Whether there is anything to commit.
    pub(crate) is_written: bool,
}

impl<'t> RecordTables<'t> {
    pub(crate) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self { records: transaction.open_table(RECORDS)?, ends: transaction.open_table(ENDS)?, is_written: false })
    }

    pub(super) fn get(&self, key: &RecordKey) -> Result<Option<Vec<u8>>, StorageError> {
        self.row(name(key))
    }

    pub(super) fn get_named(&self, (kind, group, id): &Named) -> Result<Option<Vec<u8>>, StorageError> {
        self.row((kind, group, id))
    }

    fn row(&self, name: Name<'_>) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.records.get(name)?.map(|row| row.value().to_vec()))
    }

    /// Adds a row where there is none.
    pub(super) fn insert(&mut self, key: &RecordKey, row: &str, until: Option<Millis>) -> Result<(), StorageError> {
        self.is_written = true;
        let (kind, group, id) = name(key);
        self.records.insert((kind, group, id), row.as_bytes())?;
        if let Some(until) = until {
            self.ends.insert((until.get(), kind, group, id), ())?;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &RecordKey, until: Option<Millis>) -> Result<(), StorageError> {
        self.remove_row(name(key), until)
    }

    pub(super) fn remove_named(
        &mut self,
        (kind, group, id): &Named,
        until: Option<Millis>,
    ) -> Result<(), StorageError> {
        self.remove_row((kind, group, id), until)
    }

    fn remove_row(&mut self, (kind, group, id): Name<'_>, until: Option<Millis>) -> Result<(), StorageError> {
        self.is_written = true;
        self.records.remove((kind, group, id))?;
        if let Some(until) = until {
            self.ends.remove((until.get(), kind, group, id))?;
        }
        Ok(())
    }

    /// Returns the ids and the rows of a group.
    pub(super) fn of_group(&self, group: &RecordGroup) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let (kind, of) = (group.kind().name(), group.name());
        let mut rows = Vec::new();
        for entry in self.records.range((kind, of, "")..)? {
            let (name, row) = entry?;
            let (its_kind, its_group, id) = name.value();
            if (its_kind, its_group) != (kind, of) {
                break;
            }
            rows.push((id.to_owned(), row.value().to_vec()));
        }
        Ok(rows)
    }

    /// Returns the first records that ended before this instant, and when.
    pub(super) fn ended(&self, before: Millis, most: usize) -> Result<Vec<(Millis, Named)>, StorageError> {
        let ends = self.ends.range((0, "", "", "")..(before.get(), "", "", ""))?;
        let named = |(at, kind, group, id): (u64, &str, &str, &str)| {
            (Millis::new(at), (kind.to_owned(), group.to_owned(), id.to_owned()))
        };
        ends.take(most).map(|entry| Ok(named(entry?.0.value()))).collect()
    }
}

fn name(key: &RecordKey) -> Name<'_> {
    (key.group().kind().name(), key.group().name(), key.id())
}
