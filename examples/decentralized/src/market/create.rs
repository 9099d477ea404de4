//! The first start: keys and tokens.

use std::{fs, path::Path};

use portcullis_nats::{
    claims::{Account, Activation, Export, ExportKind, Import, Limit, Operator, Permissions, SigningKey, Terms},
    mint::Mint,
    nkey::{AccountKey, KeyPair, OperatorKey, Role},
};

use super::{Market, ORGANISATIONS, SHOP, folder, now, pair};
use crate::Failure;

/// What others may use of the shop: reading, which is public, and writing, which needs an activation.
const READ: &str = "orders.*.read";
const WRITE: &str = "orders.*.write";

impl Market {
    /// Opens it, or makes it at the first start.
    pub(crate) async fn open_or_create(folder: &Path) -> Result<Self, Failure> {
        if let Ok(market) = Self::open(folder) {
            return Ok(market);
        }
        let market = Self { folder: folder.to_owned() };
        for name in ["operator", "accounts"].into_iter().chain(ORGANISATIONS) {
            fs::create_dir_all(folder.join(name))?;
        }
        let keys = ORGANISATIONS.map(|_| pair(Role::Account));
        let [shop, acme, globex] = keys;
        let (shop, acme, globex) = (shop?, acme?, globex?);
        let signer = pair(Role::Operator)?;
        folder::write_key(&market.operator_seed(&OperatorKey::try_from(*signer.public_key())?), &signer)?;

        let mut exporting = Account::default();
        let (read, write) = (Export::new(ExportKind::Service, READ), Export::new(ExportKind::Service, WRITE));
        exporting.exports = vec![read, write.with_activation()];
        market.admit(SHOP, &shop, exporting, &signer).await?;

        let shop_id = AccountKey::try_from(*shop.public_key())?;
        let mut importing = Account::default();
        importing.imports = vec![Import::new(ExportKind::Service, shop_id, READ)];
        let mut limited = importing.clone();
        limited.limits.payload = Limit::AtMost(1024);
        market.admit("globex", &globex, limited, &signer).await?;
        importing.imports.push(activated(&shop, shop_id, AccountKey::try_from(*acme.public_key())?).await?);
        market.admit("acme", &acme, importing, &signer).await?;

        market.issue_first_users().await?;
        let system = market.admit_servers(&signer).await?;
        // Last: from now on, it is complete.
        market.write_operator(&pair(Role::Operator)?, &[signer], Some(system)).await?;
        Ok(market)
    }

    /// The account of nats-servers themselves. Neither service here needs it, or one of them.
    async fn admit_servers(&self, signer: &KeyPair) -> Result<AccountKey, Failure> {
        let key = pair(Role::Account)?;
        let id = AccountKey::try_from(*key.public_key())?;
        let token = Mint::account(id, "SYS", Account::default()).sign(signer, now()).await?;
        folder::write_key(&self.folder.join("operator/system.seed"), &key)?;
        folder::write_public(&self.folder.join("operator/system.jwt"), token.as_str())?;
        Ok(id)
    }

    /// An account with this key, and with a signing key for users who may only read.
    async fn admit(
        &self,
        organisation: &str,
        key: &KeyPair,
        mut claims: Account,
        signer: &KeyPair,
    ) -> Result<(), Failure> {
        let readers = pair(Role::Account)?;
        claims.signing_keys = vec![for_readers(&readers)?];
        folder::write_key(&self.file_of(organisation, "account.seed")?, key)?;
        folder::write_key(&self.file_of(organisation, "readers.seed")?, &readers)?;
        let id = AccountKey::try_from(*key.public_key())?;
        let token = Mint::account(id, organisation, claims).sign(signer, now()).await?;
        self.publish(organisation, id, token.as_str())
    }

    /// The operator's own key signs nothing but this token: services are told its signing keys.
    pub(super) async fn write_operator(
        &self,
        own: &KeyPair,
        signing: &[KeyPair],
        system: Option<AccountKey>,
    ) -> Result<(), Failure> {
        let key = |key: &KeyPair| OperatorKey::try_from(*key.public_key());
        let mut claims = Operator::default();
        claims.system_account = system;
        claims.signing_keys = signing.iter().map(key).collect::<Result<_, _>>()?;
        let token = Mint::operator(key(own)?, "market", claims).sign(own, now()).await?;
        folder::write_key(&self.folder.join("operator/own.seed"), own)?;
        folder::write_public(&self.folder.join("operator/operator.jwt"), token.as_str())
    }
}

/// A signing key whose users may read orders, whatever their own tokens say.
pub(super) fn for_readers(key: &KeyPair) -> Result<SigningKey, Failure> {
    let mut terms = Terms::default();
    terms.permissions = Permissions::default().publish([READ]);
    Ok(SigningKey::scoped(AccountKey::try_from(*key.public_key())?, "readers", terms))
}

/// The import of writing, with the shop's permission for exactly this account.
async fn activated(shop: &KeyPair, shop_id: AccountKey, importer: AccountKey) -> Result<Import, Failure> {
    let activation = Activation::new(ExportKind::Service, WRITE);
    let minted = Mint::activation(importer, "acme may write", activation).sign(shop, now()).await?;
    let mut import = Import::new(ExportKind::Service, shop_id, WRITE);
    import.activation = Some((minted.as_str().to_owned(), minted.token().clone()));
    Ok(import)
}
