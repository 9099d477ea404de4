//! [`AccountEdit`]: changes an account's token, and signs it again.

mod raw;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{UnixTime, policy::Leeway, signing::Signer};

use self::raw::RawObject;
use super::{
    End, Generic, MintError, MintErrorKind, Minted, account, require_times, seal,
    write::{quoted, signing_key},
};
use crate::{
    claims::{Account, ExportKind, Limit, Operator, SigningKey},
    nkey::{AccountKey, Role, UserKey},
    token::{Token, Version},
};

/// An account's token that is about to be changed. Members that this crate does not model stay as they are, and so does the order.
///
/// Its `iat` grows with each signature: it is the instant of signing, or a second more than before if that is later. Verifiers accept no token that is
/// older than one they have seen, so a second must not be used twice.
///
/// ```
/// # use portcullis_core::UnixTime;
/// # use portcullis_nats::{claims::Account, mint::{AccountEdit, Mint}, nkey::{AccountKey, KeyPair, Role, UserKey}};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { block_on(async {
/// # let (operator, account, user) =
/// #     (KeyPair::generate(Role::Operator)?, KeyPair::generate(Role::Account)?, KeyPair::generate(Role::User)?);
/// # let now = UnixTime::from_secs(1_800_000_000);
/// # let user = UserKey::try_from(*user.public_key())?;
/// # let token = Mint::account(AccountKey::try_from(*account.public_key())?, "orders", Account::default()).sign(&operator, now).await?.into_string();
/// let changed = AccountEdit::read(&token)?.revoke(user, now)?.sign(&operator, now).await?;
/// assert!(changed.token().nats.revocations.covers(user.public_key(), now));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }) }
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     let mut future = std::pin::pin!(future);
/// #     loop { if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) { return done; } }
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it has to be signed"]
pub struct AccountEdit {
    before: Token<Account>,
    claims: RawObject,
    nats: RawObject,
    end: Option<End>,
    operator: Option<Token<Operator>>,
}

/// How far in the future the `iat` of a token may be: as far as any policy allows. A verifier with a smaller `issued_at_leeway` refuses such a token until its
/// clock has caught up.
const ISSUED_AT_LEEWAY: Duration = Leeway::MAX.as_duration();

impl AccountEdit {
    /// Reads an account's token, of version 2.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn read(text: &str) -> Result<Self, MintError> {
        let before = Token::<Account>::read(text.trim()).map_err(|error| MintError::unreadable(&error))?;
        if before.version != Version::V2 {
            let why = "the token is of version 1, which nothing writes any more: mint the account again";
            return Err(MintError::new(MintErrorKind::Unreadable(crate::token::TokenErrorKind::Version), why));
        }
        // It was read before, so this does not fail.
        let claims = text.trim().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims =
            claims.and_then(|json| RawObject::parse(std::str::from_utf8(&json).ok()?)).ok_or_else(unreadable)?;
        let nats = claims.object("nats").ok_or_else(unreadable)?;
        Ok(Self { before, claims, nats, end: None, operator: None })
    }

    /// Returns the token as it was before.
    pub const fn before(&self) -> &Token<Account> {
        &self.before
    }

    /// Ends the tokens of this user that were issued up to that instant, inclusive. A later entry stays.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed.
    pub fn revoke(self, user: UserKey, until: UnixTime) -> Result<Self, MintError> {
        self.revoke_name(user.as_str(), until)
    }

    /// Ends the tokens of all users of the account that were issued up to that instant, inclusive. A later entry stays.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed.
    pub fn revoke_all(self, until: UnixTime) -> Result<Self, MintError> {
        self.revoke_name("*", until)
    }

    /// Removes the revocation of this user if its instant is exactly `until`, the one that was passed to [`revoke`](Self::revoke), so that the list does not grow
    /// for ever. Any other entry stays, because another tool or a later revocation has written it. Call it only when every token that was issued up to `until`
    /// has expired on all servers, also by clocks that are behind: one that has not is valid again.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed, and an entry that is not there needs no removal.
    pub fn forget_revocation(mut self, user: UserKey, until: UnixTime) -> Result<Self, MintError> {
        let mut revocations = self.nats.object("revocations").ok_or_else(unreadable)?;
        if revocations.get(user.as_str()).and_then(|number| number.parse().ok()) == Some(until.as_secs()) {
            revocations.remove(user.as_str());
            self.nats.set("revocations", revocations.to_json());
        }
        Ok(self)
    }

    fn revoke_name(mut self, name: &str, until: UnixTime) -> Result<Self, MintError> {
        self.nats.set("revocations", with_revocation(&self.nats, name, until)?);
        Ok(self)
    }

    /// Ends the activations of one export for an account that were issued up to that instant, inclusive.
    ///
    /// # Errors
    ///
    /// If the account has no export of this kind and subject.
    pub fn revoke_activation(
        mut self,
        kind: ExportKind,
        subject: &str,
        importer: AccountKey,
        until: UnixTime,
    ) -> Result<Self, MintError> {
        let mut exports = self.nats.list("exports").ok_or_else(unreadable)?;
        for export in &mut exports {
            let mut object = RawObject::parse(export.get()).ok_or_else(unreadable)?;
            if object.text("subject").as_deref() != Some(subject)
                || object.text("type").as_deref() != Some(kind.as_str())
            {
                continue;
            }
            object.set("revocations", with_revocation(&object, importer.as_str(), until)?);
            *export = serde_json::value::RawValue::from_string(object.to_json()).map_err(|_| unreadable())?;
            let exports: Vec<_> = exports.iter().map(|export| export.get()).collect();
            self.nats.set("exports", format!("[{}]", exports.join(",")));
            return Ok(self);
        }
        Err(MintError::claims(format!("the account has no export of {subject:?} that is a {}", kind.as_str())))
    }

    /// Locks the account: no user of it is let in.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed.
    pub fn lock(self) -> Result<Self, MintError> {
        self.connections(Limit::NOTHING)
    }

    /// Sets how many connections the account may have, which unlocks it.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed.
    pub fn connections(mut self, limit: Limit) -> Result<Self, MintError> {
        let mut limits = self.nats.object("limits").ok_or_else(unreadable)?;
        limits.set("conn", limit.to_claim().to_string());
        self.nats.set("limits", limits.to_json());
        Ok(self)
    }

    /// Adds a signing key. One that is there already is replaced, with its scope.
    ///
    /// # Errors
    ///
    /// None in practice: what was read can be changed.
    pub fn add_signing_key(self, key: &SigningKey) -> Result<Self, MintError> {
        self.change_signing_keys(key.key, Some(signing_key(key)))
    }

    /// Removes a signing key. The users whose tokens it has signed are not let in any more.
    ///
    /// # Errors
    ///
    /// None in practice: a key that is not there needs no removal.
    pub fn remove_signing_key(self, key: AccountKey) -> Result<Self, MintError> {
        self.change_signing_keys(key, None)
    }

    fn change_signing_keys(mut self, key: AccountKey, replacement: Option<String>) -> Result<Self, MintError> {
        let keys = self.nats.list("signing_keys").ok_or_else(unreadable)?;
        let mut kept: Vec<_> = keys.iter().map(|element| (key_of(element.get()), element.get().to_owned())).collect();
        kept.retain(|(known, _)| known.as_deref() != Some(key.as_str()));
        kept.extend(replacement.map(|json| (Some(key.to_string()), json)));
        kept.sort();
        if kept.is_empty() {
            self.nats.remove("signing_keys");
            return Ok(self);
        }
        let kept: Vec<_> = kept.into_iter().map(|(_, json)| json).collect();
        self.nats.set("signing_keys", format!("[{}]", kept.join(",")));
        Ok(self)
    }

    /// Sets `exp` to this long after the instant of signing. Defaults to what it was before.
    pub fn expires_in(self, life: Duration) -> Self {
        Self { end: Some(End::In(life)), ..self }
    }

    /// Lets the token not expire. Defaults to what it was before.
    pub fn without_expiry(self) -> Self {
        Self { end: Some(End::Never), ..self }
    }

    /// Checks what this operator demands, as [`Mint::under`](super::Mint::under) does. Defaults to no check.
    pub fn under(self, operator: &Token<Operator>) -> Self {
        Self { operator: Some(operator.clone()), ..self }
    }

    /// Signs it with a key of the operator, the same one as before or another one. Without a change, this only makes the token younger, which is
    /// what callers need who bring it along ("staple" it).
    ///
    /// # Errors
    ///
    /// If the token is from the future, has expired, or a server would refuse it: see [`MintErrorKind`].
    pub async fn sign<S: Signer + ?Sized>(self, signer: &S, now: UnixTime) -> Result<Minted<Account>, MintError> {
        let issuer = seal::issuer_of(signer, Role::Operator)?;
        let before = &self.before.registered;
        let issued_at = now.max(before.issued_at.plus(Duration::from_secs(1)));
        if issued_at > now.plus(ISSUED_AT_LEEWAY) {
            let why =
                "the token to change is from the future, and a later one would not be accepted: are the clocks right?";
            return Err(MintError::new(MintErrorKind::Time, why));
        }
        let expires_at = match self.end {
            None => before.expires_at,
            Some(End::Never) => None,
            Some(End::At(at)) => Some(at),
            Some(End::In(life)) => Some(issued_at.plus(life)),
        };
        require_times(before.not_before, expires_at, issued_at)?;
        let generic = Generic {
            audience: &before.audience,
            expires_at,
            issued_at,
            issuer: &issuer,
            name: &before.name,
            not_before: before.not_before,
            subject: &before.subject,
        };
        let claims = self.claims_with(&generic);
        let minted = seal::seal::<Account, S>(&claims, signer).await?;
        account::require_claims(&minted.token.nats, self.operator.as_ref(), &issuer)?;
        Ok(minted)
    }

    /// Returns all claims, with these in their places.
    fn claims_with(&self, generic: &Generic<'_>) -> String {
        let mut claims = self.claims.clone();
        match generic.expires_at {
            Some(at) => claims.set("exp", at.as_secs().to_string()),
            None => claims.remove("exp"),
        }
        claims.set("iat", generic.issued_at.as_secs().to_string());
        claims.set("iss", quoted(generic.issuer.as_str()));
        claims.set("jti", quoted(&generic.id()));
        claims.set("nats", self.nats.to_json());
        claims.to_json()
    }
}

/// Makes an account's token younger and changes nothing else, for callers that bring it along: verifiers accept it by its age. The same as
/// [`AccountEdit::sign`] without a change.
///
/// # Errors
///
/// As [`AccountEdit::read`] and [`AccountEdit::sign`].
pub async fn staple<S: Signer + ?Sized>(
    account: &str,
    signer: &S,
    now: UnixTime,
) -> Result<Minted<Account>, MintError> {
    AccountEdit::read(account)?.sign(signer, now).await
}

/// Returns the revocations of an account or an export with one more. Entries with other names stay as they are.
fn with_revocation(holder: &RawObject, name: &str, until: UnixTime) -> Result<String, MintError> {
    let mut revocations = holder.object("revocations").ok_or_else(unreadable)?;
    let before = revocations.get(name).and_then(|number| number.parse::<i64>().ok());
    let until = i64::try_from(until.as_secs()).unwrap_or(i64::MAX);
    revocations.set(name, before.map_or(until, |before| before.max(until)).to_string());
    Ok(revocations.to_json())
}

/// Returns the key of an element of `signing_keys`, which is a text, or an object with a scope.
fn key_of(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().or_else(|| RawObject::parse(json)?.text("key"))
}

fn unreadable() -> MintError {
    MintError::claims("the token has claims that cannot be changed: mint the account again")
}
