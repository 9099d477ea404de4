//! Families in a bucket: reads them, and changes them by compare-and-swap.

use std::{future::Future, sync::Arc};

use futures_util::{StreamExt, stream};
use portcullis_issuer::refresh::{Family, FamilyId, Opened, StoreError};

use super::{
    connection::Connection,
    error::{self, crowded, too_large},
    layout::Layout,
};

/// How often a change is tried. Each failure means that another writer has changed the family meanwhile; most of these changes decide it (the
/// token was replaced, the session has ended), so that more than a few do not follow each other.
const ATTEMPTS: usize = 20;

/// How many families are read at the same time.
const AT_ONCE: usize = 32;

/// What came of a row that is there, unless this version cannot read it.
pub(super) type Readable<T> = Result<T, Unreadable>;

/// The family whose row is there, and this version cannot read it.
#[derive(Debug)]
pub(super) struct Unreadable(FamilyId);

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        error::unreadable(unreadable.0)
    }
}

/// The families in a bucket.
#[derive(Debug)]
pub(super) struct Families<'a> {
    pub(super) connection: Arc<Connection>,
    pub(super) layout: &'a Layout,
}

impl Families<'_> {
    /// Adds a family.
    pub(super) async fn open(&self, family: &Family) -> Result<Opened, StoreError> {
        let row = family.to_json();
        if row.len() > self.connection.room {
            return Err(too_large(family, self.connection.room));
        }
        // First the index, then the row: after a crash between them, the index names a family that does not exist, which is harmless. The other
        // way around, a log-out everywhere would miss a session.
        self.connection.put(self.layout.index(family.log_in.subject(), family.id)).await?;
        let is_new = self.connection.replace(self.layout.row(family.id), row, 0).await?;
        Ok(if is_new { Opened::New } else { Opened::Exists })
    }

    /// Returns a family.
    pub(super) async fn find(&self, id: FamilyId) -> Result<Readable<Option<Family>>, StoreError> {
        Ok(self.read(id).await?.map(|found| found.map(|(family, _)| family)))
    }

    /// Returns a family, and its row's number.
    async fn read(&self, id: FamilyId) -> Result<Readable<Option<(Family, u64)>>, StoreError> {
        let Some((value, revision)) = self.connection.get(&self.layout.row(id)).await? else { return Ok(Ok(None)) };
        let family = str::from_utf8(&value).ok().and_then(Family::from_json);
        let family = family.filter(|family| family.id == id);
        Ok(family.map(|family| Some((family, revision))).ok_or(Unreadable(id)))
    }

    /// Changes a family as `decide` says, which gives its answer, and the family to write, if any. It is asked again if another writer was faster.
    pub(super) async fn change<T>(
        &self,
        id: FamilyId,
        decide: impl Fn(Option<&Family>) -> (T, Option<Family>),
    ) -> Result<Readable<T>, StoreError> {
        for _ in 0..ATTEMPTS {
            let found = match self.read(id).await? {
                Ok(found) => found,
                Err(unreadable) => return Ok(Err(unreadable)),
            };
            let (family, revision) = found.map_or((None, 0), |(family, revision)| (Some(family), revision));
            let (answer, write) = decide(family.as_ref());
            let Some(write) = write else { return Ok(Ok(answer)) };
            if self.connection.replace(self.layout.row(id), write.to_json(), revision).await? {
                return Ok(Ok(answer));
            }
        }
        Err(crowded(id))
    }

    /// Returns how many families the index has for a subject, ended or not.
    pub(super) async fn count_of(&self, subject: &str) -> Result<usize, StoreError> {
        Ok(self.keys_of(subject).await?.len())
    }

    async fn keys_of(&self, subject: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.connection.keys(self.layout, &format!("{}.*", self.layout.index_of(subject))).await?)
    }

    /// Calls `each` for the ids that the index has for a subject, and returns its answers, and how many families cannot be read. Fails only after
    /// all calls have ended.
    pub(super) async fn of_subject<T, F: Future<Output = Result<Readable<Option<T>>, StoreError>>>(
        &self,
        subject: &str,
        each: impl Fn(FamilyId) -> F,
    ) -> Result<(Vec<T>, usize), StoreError> {
        let keys = self.keys_of(subject).await?;
        let ids: Vec<_> = keys.iter().filter_map(|key| FamilyId::from_session_id(key.rsplit('.').next()?)).collect();
        let answers: Vec<_> = stream::iter(ids).map(each).buffer_unordered(AT_ONCE).collect().await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let unreadable = answers.iter().filter(|answer| answer.is_err()).count();
        Ok((answers.into_iter().flatten().flatten().collect(), unreadable))
    }
}
