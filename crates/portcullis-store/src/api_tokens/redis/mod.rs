//! [`RedisApiTokenStore`]: API tokens in keys beside the sessions.

mod line;

use std::sync::LazyLock;

use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, FoundApiToken,
        Inserted, LastUse, Owner,
    },
    refresh::Millis,
};
use redis::{Script, ScriptInvocation};

use super::row::{self, Found};
use crate::RedisRefreshStore;

/// API tokens on the server of a [`RedisRefreshStore`], by its [`api_tokens`](RedisRefreshStore::api_tokens). It has a connection of its own, to a server
/// that is checked in the same way. The server has to be Redis 6.2 or later, or Valkey.
///
/// # The rules
///
/// - A change is one script, which writes only if the row has the version before, and nothing is taken.
/// - A token with its ancestors is found by one script, in one round trip.
/// - No key has an expiry: the server forgets nothing by itself. Tokens that are over stay until [`forget_before`](ApiTokenStore::forget_before) is
///   called.
/// - A page of a list has at most 1000 tokens.
///
/// # What is on the server
///
/// - `{portcullis}:api-token:<id>`, a string, has a row, and `{portcullis}:api-token-digest:<digest>` its id.
/// - `{portcullis}:api-tokens`, a sorted set, has the ids of all tokens; `{portcullis}:api-tokens-of:<kind>:<owner>` those of an owner's, and
///   `{portcullis}:api-tokens-below:<id>` those of the tokens that were derived from one.
/// - `{portcullis}:api-token-ends` and `{portcullis}:api-tokens-revoked`, sorted sets, have the ids by when tokens end and were revoked.
///
/// In a cluster, one server has all tokens. The [rights of the sessions](RedisRefreshStore#rights) are enough.
///
/// # What a crash can lose
///
/// With `appendonly yes` and `appendfsync always`, nothing that was acknowledged. With less, a token that was revoked may come back: the store
/// [warns](RedisRefreshStore::warnings), and the log of revocations still has it until its entry ends. With replicas, set
/// [`acknowledged_by`](RedisRefreshStore::acknowledged_by).
#[derive(Debug)]
pub struct RedisApiTokenStore(RedisRefreshStore);

/// How many tokens one script lists, forgets or marks as used: other callers wait for it.
const AT_ONCE: usize = 1000;

macro_rules! script {
    ($name:literal) => {
        LazyLock::new(|| Script::new(concat!(include_str!("scripts/common.lua"), include_str!($name))))
    };
}

static INSERT: LazyLock<Script> = script!("scripts/insert.lua");
static REPLACE: LazyLock<Script> = script!("scripts/replace.lua");
static FORGET: LazyLock<Script> = script!("scripts/forget.lua");
static COUNT: LazyLock<Script> = script!("scripts/count.lua");
static FIND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/find.lua")));
static ROW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/row.lua")));
static LIST: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/list.lua")));
static USES: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/uses.lua")));

impl RedisRefreshStore {
    /// Returns the place for API tokens on the same server.
    pub fn api_tokens(&self) -> RedisApiTokenStore {
        RedisApiTokenStore(self.apart())
    }
}

impl RedisApiTokenStore {
    fn key(&self, name: &str) -> String {
        self.0.layout().api_tokens(name)
    }

    fn row(&self, id: ApiTokenId) -> String {
        self.key("-token:") + &id.to_string()
    }

    fn digest(&self, row: &ApiTokenRow) -> String {
        self.key("-token-digest:") + &row.digest.to_string()
    }

    fn of_owner(&self, owner: &Owner) -> String {
        format!("{}{}:{}", self.key("-tokens-of:"), owner.kind(), owner.id())
    }

    fn below(&self, ancestor: ApiTokenId) -> String {
        self.key("-tokens-below:") + &ancestor.to_string()
    }

    /// Begins with the keys of all indexes of times.
    fn invoke<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut invocation = script.key(self.key("-tokens"));
        invocation.key(self.key("-token-ends")).key(self.key("-tokens-revoked"));
        invocation
    }

    /// Adds the keys and arguments of a new token.
    fn with_new(&self, invocation: &mut ScriptInvocation<'_>, row: &ApiTokenRow) {
        invocation.key(self.row(row.id)).key(self.digest(row)).key(self.of_owner(&row.owner));
        for ancestor in &row.path {
            invocation.key(self.below(*ancestor));
        }
        invocation.arg(row.id.to_string()).arg(line::new(row));
        times(invocation, row);
    }

    /// Returns entries of an index with their rows.
    async fn entries(
        &self,
        index: String,
        (first, last): (String, String),
        limit: usize,
    ) -> Result<Vec<(String, ApiTokenId, Option<Found>)>, StoreError> {
        let mut list = LIST.key(index);
        list.arg(self.key("-token:")).arg(first).arg(last).arg(limit);
        let (entries, rows): (Vec<String>, Vec<Option<Vec<u8>>>) = self.0.read(&list).await?;
        let read = |(entry, row): (String, Option<Vec<u8>>)| {
            let id = of_entry(&entry)?;
            Ok((entry, id, row.map(|row| line::read(&row, id))))
        };
        entries.into_iter().zip(rows).map(read).collect()
    }

    async fn page(&self, index: String, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        let limit = limit.clamp(1, AT_ONCE);
        let first = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let entries = self.entries(index, (first, "+".to_owned()), limit).await?;
        Ok(row::page(entries.into_iter().map(|(_, id, found)| (id, id, found)).collect(), limit))
    }
}

impl ApiTokenStore for RedisApiTokenStore {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        let mut insert = self.invoke(&INSERT);
        self.with_new(&mut insert, row.checked()?);
        Ok(if self.0.write::<bool>(&insert).await? { Inserted::New } else { Inserted::Exists })
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        let mut find = FIND.key(self.key("-token-digest:") + &digest.to_string());
        let found: Vec<Option<Vec<u8>>> = self.0.read(find.arg(self.key("-token:"))).await?;
        let mut rows = found.chunks(2).map(|pair| {
            let id = pair.first().and_then(Option::as_deref).unwrap_or_default();
            let id = of_entry(&String::from_utf8_lossy(id))?;
            Ok((id, pair.get(1).and_then(Option::as_ref).map(|row| line::read(row, id)).transpose()?))
        });
        let row = match rows.next().transpose()? {
            Some((_, Some(row))) if row.digest == *digest => row,
            // The index names a row that is not there, or another one.
            Some((id, _)) => return Err(row::unreadable(id)),
            None => return Ok(None),
        };
        let ancestors = rows.filter_map(|found| found.map(|(_, row)| row).transpose());
        Ok(Some(FoundApiToken::new(row, ancestors.collect::<Result<_, StoreError>>()?)))
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        let row: Option<Vec<u8>> = self.0.read(&ROW.key(self.row(id))).await?;
        row.map(|row| line::read(&row, id)).transpose()
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        let row = row.checked()?;
        let mut replace = self.invoke(&REPLACE);
        replace.key(self.row(row.id)).key(self.digest(row)).arg(self.key("-token-digest:")).arg(row.id.to_string());
        // No row has the version before the first one.
        replace.arg(row.version.checked_sub(1).map(|before| before.to_string()).unwrap_or_default());
        replace.arg(line::path(row)).arg(row.owner.kind()).arg(row.owner.id());
        replace.arg(line::first(row)).arg(row::text(row));
        times(&mut replace, row);
        if let Some(successor) = successor {
            self.with_new(&mut replace, successor.checked()?);
        }
        match self.0.write::<i8>(&replace).await? {
            1 => Ok(Changed::Stored),
            0 => Ok(Changed::Conflict),
            _ => Err(row::unreadable(row.id)),
        }
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.page(self.of_owner(owner), after, limit).await
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        let mut count = COUNT.key(self.of_owner(owner));
        self.0.read(count.arg(self.key("-token:")).arg(now.get())).await
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        self.page(self.below(ancestor), after, limit).await
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.page(self.key("-tokens"), after, limit).await
    }

    async fn ending(
        &self,
        (at, after): (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        let limit = limit.clamp(1, AT_ONCE);
        // What begins with a time is behind the time alone.
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let range = (format!("({:020}{after}", at.get()), format!("({:020}", before.get()));
        let entries = self.entries(self.key("-token-ends"), range, limit).await?;
        let cursor = |(entry, id, found): (String, ApiTokenId, Option<Found>)| {
            let time = entry.get(..20).and_then(|time| time.parse().ok()).unwrap_or_default();
            ((Millis::new(time), Some(id)), id, found)
        };
        Ok(row::page(entries.into_iter().map(cursor).collect(), limit))
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        let latest: Vec<(ApiTokenId, &LastUse)> = row::latest(uses)?.into_iter().collect();
        for some in latest.chunks(AT_ONCE) {
            let mut record = USES.prepare_invoke();
            for (id, used) in some {
                record.key(self.row(*id)).arg(used.at.get()).arg(line::last_use(Some(used)));
            }
            self.0.write::<bool>(&record).await?;
        }
        Ok(())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for (index, before) in [("ends", format!("{:020}", before.get())), ("revoked", before.get().to_string())] {
            let mut passed = 0;
            loop {
                let mut forget = self.invoke(&FORGET);
                forget.arg(index).arg(&before).arg(passed).arg(AT_ONCE);
                for keys in ["-token:", "-token-digest:", "-tokens-of:", "-tokens-below:"] {
                    forget.arg(self.key(keys));
                }
                let (some, unreadable): (usize, usize) = self.0.write(&forget).await?;
                (forgotten, passed) = (forgotten + some, passed + unreadable);
                if some + unreadable < AT_ONCE {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}

/// Adds the entry of the ends, and when the token was revoked; both may be empty.
fn times(invocation: &mut ScriptInvocation<'_>, row: &ApiTokenRow) {
    invocation.arg(row.ends_at().map(|end| format!("{:020}{}", end.get(), row.id)).unwrap_or_default());
    invocation.arg(row.revoked.as_ref().map(|revoked| revoked.at.get().to_string()).unwrap_or_default());
}

/// Returns the id at the end of an entry.
fn of_entry(entry: &str) -> Result<ApiTokenId, StoreError> {
    let id = entry.len().checked_sub(26).and_then(|at| entry.get(at..)).unwrap_or(entry);
    id.parse().map_err(|error| StoreError::new("an id in Redis is not one of an API token").with_source(error))
}
