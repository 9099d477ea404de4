//! What operator and organisations do later: users come and go, and keys are replaced.

use std::{fs, time::Duration};

use portcullis_nats::{
    claims::{Permissions, Responses, Terms},
    creds::Creds,
    enrol::EnrolmentPolicy,
    mint::{self, AccountEdit, Mint},
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
    server_config::ServerConfig,
};

use super::{Market, ORGANISATIONS, SHOP, folder, found::for_readers, now, pair};
use crate::Failure;

impl Market {
    /// Signs a token for a user, and writes the credentials file. A user who has a key keeps it. Bob is signed by the key for readers, and everyone
    /// else by the account's own key.
    pub(crate) async fn issue(&self, organisation: &str, user: &str) -> Result<(), Failure> {
        let path = self.of(organisation, &format!("{user}.creds"))?;
        let key = match fs::read_to_string(&path) {
            Ok(text) => Creds::parse(&text)?.key().clone(),
            Err(_) => pair(Role::User)?,
        };
        let token = self.sign_user(organisation, user, &key).await?;
        folder::replace(&path, &Creds::new(token, key)?.format())
    }

    async fn sign_user(&self, organisation: &str, user: &str, key: &KeyPair) -> Result<String, Failure> {
        let (key, account) = (UserKey::try_from(*key.public_key())?, self.account(organisation)?);
        // A revocation hits what was issued in the same second, too.
        let is_revoked = account.nats.revocations.covers(key.public_key(), now());
        let at = if is_revoked { now().plus(Duration::from_secs(1)) } else { now() };
        if user == "bob" {
            let signer = folder::read_key(&self.of(organisation, "readers.seed")?)?;
            let draft = Mint::scoped_user(key, user, AccountKey::try_from(account.registered.subject)?);
            return Ok(draft.within(&account).sign(&signer, at).await?.into_string());
        }
        let mut terms = Terms::default();
        let subjects: &[&str] = if user == "gina" { &[">"] } else { &["orders.>", "bills.>"] };
        terms.permissions = Permissions::default().publish(subjects.iter().copied());
        // At a nats-server, who answers a request publishes to a subject that its sender has made up.
        terms.permissions.responses = (organisation == SHOP).then(Responses::default);
        let signer = folder::read_key(&self.of(organisation, "account.seed")?)?;
        Ok(Mint::user(key, user).terms(terms).sign(&signer, at).await?.into_string())
    }

    /// Ends the tokens of a user that were issued until now. What is issued later is good.
    pub(crate) async fn revoke(&self, organisation: &str, user: &str) -> Result<(), Failure> {
        let creds = Creds::parse(&folder::read(&self.of(organisation, &format!("{user}.creds"))?)?)?;
        let key = UserKey::try_from(*creds.key().public_key())?;
        self.change(organisation, |account| Ok(account.revoke(key, now())?)).await
    }

    /// Ends these users' tokens, as [`revoke`](Self::revoke) does, and drops the entries of those whose tokens have all expired.
    pub(crate) async fn end_users(
        &self,
        organisation: &str,
        ended: &[UserKey],
        expired: &[UserKey],
    ) -> Result<(), Failure> {
        self.change(organisation, |mut account| {
            for user in expired {
                account = account.forget_revocation(*user)?;
            }
            for user in ended {
                account = account.revoke(*user, now())?;
            }
            Ok(account)
        })
        .await
    }

    /// Removes the signing key for readers, with all users that it has signed, and adds another one.
    pub(crate) async fn replace_signing_key(&self, organisation: &str) -> Result<(), Failure> {
        let path = self.of(organisation, "readers.seed")?;
        let (old, new) = (folder::read_key(&path)?, pair(Role::Account)?);
        let old = AccountKey::try_from(*old.public_key())?;
        let replacement = for_readers(&new)?;
        self.change(organisation, |account| Ok(account.remove_signing_key(old)?.add_signing_key(&replacement)?))
            .await?;
        folder::write_key(&path, &new)
    }

    /// Signs the token of an account again, with the operator's newest key.
    pub(crate) async fn staple(&self, organisation: &str) -> Result<(), Failure> {
        self.change(organisation, Ok).await
    }

    async fn change(
        &self,
        organisation: &str,
        change: impl FnOnce(AccountEdit) -> Result<AccountEdit, Failure>,
    ) -> Result<(), Failure> {
        // The desk ends users while somebody uses the commands.
        let _lock = folder::lock(&self.folder)?;
        let account = change(AccountEdit::read(&self.account_text(organisation)?)?)?;
        let token = account.under(&self.operator()?).sign(&self.operator_signer()?, now()).await?;
        self.publish(organisation, self.id(organisation)?, token.as_str())
    }

    /// Adds a signing key, which signs accounts from now on. Services have to be told.
    pub(crate) async fn new_operator_key(&self) -> Result<(), Failure> {
        let mut signing = self.operator_signing_keys()?;
        let new = pair(Role::Operator)?;
        let system = self.folder.join("operator/system.jwt");
        folder::replace(&system, mint::staple(&folder::read(&system)?, &new, now()).await?.as_str())?;
        folder::write_key(&self.operator_seed(&OperatorKey::try_from(*new.public_key())?), &new)?;
        signing.push(new);
        self.replace_operator(&signing).await
    }

    /// Removes all signing keys but the newest one. Services have to be told.
    pub(crate) async fn drop_operator_key(&self) -> Result<(), Failure> {
        let newest = self.operator_signer()?;
        for organisation in ORGANISATIONS {
            if self.account(organisation)?.registered.issuer != *newest.public_key() {
                return Err(
                    format!("{organisation} is still signed by the older key: staple {organisation} first").into()
                );
            }
        }
        self.replace_operator(&[newest]).await
    }

    async fn replace_operator(&self, signing: &[KeyPair]) -> Result<(), Failure> {
        let own = folder::read_key(&self.folder.join("operator/own.seed"))?;
        self.write_operator(&own, signing, self.operator()?.nats.system_account).await
    }

    /// Who may get a user of this organisation at its desk: who may read orders at its own log-in, with a key for readers.
    pub(crate) fn enrolment(&self, organisation: &str) -> Result<EnrolmentPolicy, Failure> {
        let readers = folder::read_key(&self.of(organisation, "readers.seed")?)?;
        let policy = EnrolmentPolicy::new(self.account(organisation)?)?;
        Ok(policy.rule(|caller| caller.has_scope("orders:read"), readers)?.longest(Duration::from_secs(600)))
    }

    /// Returns the lines with which a nats-server trusts the operator. The accounts are in them, so it learns of a change by new ones.
    pub(crate) fn server_config(&self) -> Result<String, Failure> {
        let mut config = ServerConfig::new(&folder::read(&self.folder.join("operator/operator.jwt"))?)?;
        config = config.account(&folder::read(&self.folder.join("operator/system.jwt"))?, now())?;
        for organisation in ORGANISATIONS {
            config = config.account(&self.account_text(organisation)?, now())?;
        }
        Ok(config.memory()?)
    }

    fn operator_signing_keys(&self) -> Result<Vec<KeyPair>, Failure> {
        self.operator()?.nats.signing_keys.iter().map(|key| folder::read_key(&self.operator_seed(key))).collect()
    }
}
