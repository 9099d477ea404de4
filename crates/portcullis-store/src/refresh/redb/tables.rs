//! [`Tables`]: the tables in the file, in one transaction.

use portcullis_issuer::refresh::{Family, FamilyId, Millis, StoreError};
use redb::{ReadableTable, StorageError, Table, TableDefinition, TableError, WriteTransaction};
use zeroize::Zeroizing;

#[cfg(feature = "api-tokens")]
use crate::api_tokens::redb::tables::TokenTables;
use crate::records::redb::tables::RecordTables;

/// Families by id, as JSON.
const FAMILIES: TableDefinition<'_, u128, &str> = TableDefinition::new("families");

/// The families of subjects.
const SUBJECTS: TableDefinition<'_, (&str, u128), ()> = TableDefinition::new("subjects");

/// When families end by their time, in milliseconds.
const ENDS: TableDefinition<'_, (u64, u128), ()> = TableDefinition::new("ends");

/// The one document of signing keys, with its version, by [`DOCUMENT`].
const SIGNING_KEYS: TableDefinition<'_, &str, (u64, &str)> = TableDefinition::new("signing_keys");
const DOCUMENT: &str = "document";

/// The tables in one transaction. What is read includes what was written in the same transaction.
pub(crate) struct Tables<'t> {
    families: Table<'t, u128, &'static str>,
    subjects: Table<'t, (&'static str, u128), ()>,
    ends: Table<'t, (u64, u128), ()>,
    signing_keys: Table<'t, &'static str, (u64, &'static str)>,
    records: RecordTables<'t>,
    /// Opened when they are first used: they are seven, and most transactions do without.
    #[cfg(feature = "api-tokens")]
    tokens: Option<TokenTables<'t>>,
    #[cfg(feature = "api-tokens")]
    transaction: &'t WriteTransaction,
    is_written: bool,
}

/// A row as it is found: `Err` if it cannot be read, because a later version wrote it, or it is damaged.
pub(super) type Row = Result<Option<Family>, StoreError>;

impl<'t> Tables<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            families: transaction.open_table(FAMILIES)?,
            subjects: transaction.open_table(SUBJECTS)?,
            ends: transaction.open_table(ENDS)?,
            signing_keys: transaction.open_table(SIGNING_KEYS)?,
            records: RecordTables::of(transaction)?,
            #[cfg(feature = "api-tokens")]
            tokens: None,
            #[cfg(feature = "api-tokens")]
            transaction,
            is_written: false,
        })
    }

    /// Creates them if they do not exist.
    pub(super) fn create(transaction: &WriteTransaction) -> Result<(), TableError> {
        Tables::of(transaction).map(drop)
    }

    /// Whether there is anything to commit.
    pub(super) fn are_written(&self) -> bool {
        #[cfg(feature = "api-tokens")]
        if self.tokens.as_ref().is_some_and(|tokens| tokens.is_written) {
            return true;
        }
        self.is_written || self.records.is_written
    }

    /// Returns the tables of API tokens.
    #[cfg(feature = "api-tokens")]
    pub(crate) fn tokens(&mut self) -> Result<&mut TokenTables<'t>, StorageError> {
        let tokens = match self.tokens.take() {
            Some(tokens) => tokens,
            None => TokenTables::of(self.transaction).map_err(|error| match error {
                TableError::Storage(error) => error,
                other => StorageError::Corrupted(other.to_string()),
            })?,
        };
        Ok(self.tokens.insert(tokens))
    }

    /// Returns the tables of records.
    pub(crate) fn records(&mut self) -> &mut RecordTables<'t> {
        &mut self.records
    }

    pub(super) fn get(&self, id: FamilyId) -> Result<Row, StorageError> {
        let row = self.families.get(key(id))?;
        Ok(row.map(|row| read(row.value())).transpose())
    }

    pub(super) fn has(&self, id: FamilyId) -> Result<bool, StorageError> {
        Ok(self.families.get(key(id))?.is_some())
    }

    /// Adds a family, or writes one that has changed from `before`.
    pub(super) fn put(&mut self, family: &Family, before: Option<&Family>) -> Result<(), StorageError> {
        self.is_written = true;
        let id = key(family.id);
        self.families.insert(id, &*family.to_json())?;
        if before.is_none() {
            self.subjects.insert((family.log_in.subject(), id), ())?;
        }
        match before {
            Some(before) if before.ends_at() == family.ends_at() => return Ok(()),
            Some(before) => drop(self.ends.remove((before.ends_at().get(), id))?),
            None => {}
        }
        self.ends.insert((family.ends_at().get(), id), ())?;
        Ok(())
    }

    /// Removes a family that ends at this instant.
    pub(super) fn remove(&mut self, family: &Family, ends_at: Millis) -> Result<(), StorageError> {
        self.is_written = true;
        let id = key(family.id);
        self.families.remove(id)?;
        self.subjects.remove((family.log_in.subject(), id))?;
        self.ends.remove((ends_at.get(), id))?;
        Ok(())
    }

    /// Takes a family that has ended from those of its subject.
    pub(super) fn unlist(&mut self, family: &Family) -> Result<(), StorageError> {
        self.subjects.remove((family.log_in.subject(), key(family.id)))?;
        Ok(())
    }

    /// Returns the families of a subject, except for those that have ended before their time.
    pub(super) fn of_subject(&self, subject: &str) -> Result<Vec<FamilyId>, StorageError> {
        let keys = self.subjects.range((subject, 0)..=(subject, u128::MAX))?;
        keys.map(|entry| Ok(id(entry?.0.value().1))).collect()
    }

    /// Returns the document of signing keys with its version.
    pub(crate) fn document(&self) -> Result<Option<(u64, Zeroizing<String>)>, StorageError> {
        let row = self.signing_keys.get(DOCUMENT)?;
        Ok(row.map(|row| (row.value().0, row.value().1.to_owned().into())))
    }

    pub(crate) fn put_document(&mut self, version: u64, text: &str) -> Result<(), StorageError> {
        self.is_written = true;
        self.signing_keys.insert(DOCUMENT, (version, text))?;
        Ok(())
    }

    /// Returns the first families that end before this instant, and when.
    pub(super) fn over(&self, before: Millis, most: usize) -> Result<Vec<(Millis, FamilyId)>, StorageError> {
        let keys = self.ends.range((0, 0)..(before.get(), 0))?;
        let entry = |(at, of): (u64, u128)| (Millis::new(at), id(of));
        keys.take(most).map(|key| Ok(entry(key?.0.value()))).collect()
    }
}

fn key(id: FamilyId) -> u128 {
    u128::from_be_bytes(*id.as_bytes())
}

fn id(key: u128) -> FamilyId {
    FamilyId::from_bytes(key.to_be_bytes())
}

fn read(text: &str) -> Result<Family, StoreError> {
    Family::from_json(text).ok_or_else(|| {
        StoreError::new("a row cannot be read: a later version of Portcullis wrote it, or it is damaged")
    })
}
