//! In memory.

use portcullis_nats::{
    accounts::MemoryAccounts,
    nkey::{AccountKey, KeyPair, Role},
};
use portcullis_test::contract::{AccountPlace, AccountResolverContract, AccountSwitch, Possible};

struct Memory {
    accounts: MemoryAccounts,
    operator: KeyPair,
}

impl AccountPlace for Memory {
    type Resolver = MemoryAccounts;

    async fn open(&self) -> MemoryAccounts {
        self.accounts.clone()
    }

    fn operator(&self) -> &KeyPair {
        &self.operator
    }

    async fn put(&mut self, id: &AccountKey, token: &str) {
        self.accounts.insert(*id, token);
    }

    async fn remove(&mut self, id: &AccountKey) -> Possible {
        assert!(self.accounts.remove(id) && !self.accounts.remove(id));
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

#[tokio::test]
async fn memory_follows_the_contract() {
    let place = Memory { accounts: MemoryAccounts::new(), operator: KeyPair::generate(Role::Operator).unwrap() };
    AccountResolverContract::new(place).without(AccountSwitch::CutOff, "it is in memory").check().await;
}
