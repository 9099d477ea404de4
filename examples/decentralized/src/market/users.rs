//! Users with credentials files, and how they end.

use std::{fs, io::ErrorKind, time::Duration};

use portcullis::clock::UnixTime;
use portcullis_nats::{
    claims::{Permissions, Responses, Terms},
    creds::Creds,
    mint::Mint,
    nkey::{AccountKey, KeyPair, Role, UserKey},
};

use super::{Market, SHOP, folder, now, pair};
use crate::Failure;

/// What a user may do.
#[derive(Clone, Copy)]
enum Rights {
    /// Read orders: signed by the account's key for readers, whose scope says so.
    Reader,
    /// Read and write orders and bills.
    Trader,
    /// Publish everything at home, which gives no more elsewhere.
    Everything,
}

/// The users of the first start. Others are traders.
const USERS: [(&str, &str, Rights); 4] = [
    (SHOP, "olga", Rights::Trader),
    ("acme", "alice", Rights::Trader),
    ("acme", "bob", Rights::Reader),
    ("globex", "gina", Rights::Everything),
];

impl Market {
    pub(super) async fn issue_first_users(&self) -> Result<(), Failure> {
        for (organisation, user, _) in USERS {
            self.issue(organisation, user).await?;
        }
        Ok(())
    }

    /// Signs a token for a user, and writes the credentials file. A user who has one keeps the key in it.
    pub(crate) async fn issue(&self, organisation: &str, user: &str) -> Result<(), Failure> {
        let path = self.file_of(organisation, &format!("{user}.creds"))?;
        let key = match fs::read_to_string(&path) {
            Ok(text) => Creds::parse(&text)?.key().clone(),
            Err(error) if error.kind() == ErrorKind::NotFound => pair(Role::User)?,
            Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
        };
        let token = self.sign_user(organisation, user, &key).await?;
        folder::write_secret(&path, &Creds::new(token, key)?.format())
    }

    async fn sign_user(&self, organisation: &str, user: &str, key: &KeyPair) -> Result<String, Failure> {
        let (key, account) = (UserKey::try_from(*key.public_key())?, self.account(organisation)?);
        // A revocation hits what was issued in the same second, too.
        let is_revoked = account.nats.revocations.covers(key.public_key(), now());
        let at = if is_revoked { now().plus(Duration::from_secs(1)) } else { now() };
        let subjects: &[&str] = match rights_of(organisation, user) {
            Rights::Reader => {
                let signer = folder::read_key(&self.file_of(organisation, "readers.seed")?)?;
                let draft = Mint::scoped_user(key, user, AccountKey::try_from(account.registered.subject)?);
                return Ok(draft.within(&account).sign(&signer, at).await?.into_string());
            }
            Rights::Trader => &["orders.>", "bills.>"],
            Rights::Everything => &[">"],
        };
        let mut terms = Terms::default();
        terms.permissions = Permissions::default().publish(subjects.iter().copied());
        // At a nats-server, who answers a request publishes to a subject that its sender has made up.
        terms.permissions.responses = (organisation == SHOP).then(Responses::default);
        let signer = folder::read_key(&self.file_of(organisation, "account.seed")?)?;
        Ok(Mint::user(key, user).terms(terms).sign(&signer, at).await?.into_string())
    }

    /// Ends the tokens of a user that were issued until now. What is issued later is good.
    pub(crate) async fn revoke(&self, organisation: &str, user: &str) -> Result<(), Failure> {
        let creds = Creds::parse(&folder::read(&self.file_of(organisation, &format!("{user}.creds"))?)?)?;
        self.revoke_users(organisation, &[(UserKey::try_from(*creds.key().public_key())?, now())], &[]).await
    }

    /// Ends the tokens of users that were issued until then, and drops earlier entries of users whose tokens have all expired.
    pub(crate) async fn revoke_users(
        &self,
        organisation: &str,
        revoked: &[(UserKey, UnixTime)],
        forgotten: &[(UserKey, UnixTime)],
    ) -> Result<(), Failure> {
        self.change(organisation, |mut account| {
            for (user, until) in forgotten {
                account = account.forget_revocation(*user, *until)?;
            }
            for (user, until) in revoked {
                account = account.revoke(*user, *until)?;
            }
            Ok(account)
        })
        .await
    }
}

fn rights_of(organisation: &str, user: &str) -> Rights {
    let known = USERS.into_iter().find(|known| (known.0, known.1) == (organisation, user));
    known.map_or(Rights::Trader, |(.., rights)| rights)
}
