//! From a nats-server.

use portcullis_nats::{
    accounts::NatsAccounts,
    nkey::{AccountKey, KeyPair},
};
use portcullis_test::contract::{AccountPlace, AccountResolverContract, Possible};

use crate::nats_kit::Kit;

impl AccountPlace for Kit {
    type Resolver = NatsAccounts;

    async fn open(&self) -> NatsAccounts {
        self.accounts()
    }

    fn operator(&self) -> &KeyPair {
        &self.operator
    }

    async fn put(&mut self, _: &AccountKey, token: &str) {
        self.push(token).await;
    }

    async fn remove(&mut self, id: &AccountKey) -> Possible {
        self.delete(id).await;
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.server.kill();
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.server.restart();
    }
}

#[tokio::test]
async fn a_nats_server_follows_the_contract() {
    let Some(kit) = Kit::start() else { return };
    AccountResolverContract::new(kit).check().await;
}
