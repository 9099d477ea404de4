//! What operator and organisations change later: keys are replaced, and accounts are signed again.

use portcullis_nats::{
    claims::SigningKey,
    mint::{self, AccountEdit},
    nkey::{KeyPair, OperatorKey, Role},
};

use super::{Market, ORGANISATIONS, create::for_readers, folder, now, pair};
use crate::Failure;

impl Market {
    /// Removes the signing key for readers, with all users that it has signed, and adds another one.
    pub(crate) async fn replace_signing_key(&self, organisation: &str) -> Result<(), Failure> {
        let _lock = folder::lock(&self.folder)?;
        let (path, next) =
            (self.file_of(organisation, "readers.seed")?, self.file_of(organisation, "readers.next.seed")?);
        let new = pair(Role::Account)?;
        folder::write_key(&next, &new)?;
        let replacement = for_readers(&new)?;
        self.change_locked(organisation, |mut account| {
            // All of them: an earlier replacement may have been interrupted.
            let is_for_readers = |key: &&SigningKey| {
                key.scope.as_ref().map(|scope| &scope.role) == replacement.scope.as_ref().map(|scope| &scope.role)
            };
            let keys = account.before().nats.signing_keys.clone();
            for old in keys.iter().filter(is_for_readers) {
                account = account.remove_signing_key(old.key)?;
            }
            Ok(account.add_signing_key(&replacement)?)
        })
        .await?;
        folder::rename(&next, &path)
    }

    /// Signs the token of an account again, with the operator's newest key.
    pub(crate) async fn staple(&self, organisation: &str) -> Result<(), Failure> {
        self.change(organisation, Ok).await
    }

    /// Signs the tokens of all accounts again, so that callers can bring them along for as long as possible.
    pub(crate) async fn staple_all(&self) -> Result<(), Failure> {
        for organisation in ORGANISATIONS {
            self.staple(organisation).await?;
        }
        Ok(())
    }

    /// Changes an account, while no other process does.
    pub(super) async fn change(
        &self,
        organisation: &str,
        change: impl FnOnce(AccountEdit) -> Result<AccountEdit, Failure>,
    ) -> Result<(), Failure> {
        let _lock = folder::lock(&self.folder)?;
        self.change_locked(organisation, change).await
    }

    async fn change_locked(
        &self,
        organisation: &str,
        change: impl FnOnce(AccountEdit) -> Result<AccountEdit, Failure>,
    ) -> Result<(), Failure> {
        let account = change(AccountEdit::read(&self.account_text(organisation)?)?)?;
        let token = account.under(&self.operator()?).sign(&self.operator_signer()?, now()).await?;
        self.publish(organisation, self.id(organisation)?, token.as_str())
    }

    /// Adds a signing key, which signs accounts from now on. Services have to be told.
    pub(crate) async fn new_operator_key(&self) -> Result<(), Failure> {
        let mut signing = self.operator_signing_keys()?;
        let new = pair(Role::Operator)?;
        let system = self.folder.join("operator/system.jwt");
        folder::write_public(&system, mint::staple(&folder::read(&system)?, &new, now()).await?.as_str())?;
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

    fn operator_signing_keys(&self) -> Result<Vec<KeyPair>, Failure> {
        self.operator()?.nats.signing_keys.iter().map(|key| folder::read_key(&self.operator_seed(key))).collect()
    }
}
