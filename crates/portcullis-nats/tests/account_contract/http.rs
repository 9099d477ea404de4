//! From an account server.

use portcullis_jwks::HttpClient;
use portcullis_nats::{
    accounts::HttpAccounts,
    nkey::{AccountKey, KeyPair, Role},
};
use portcullis_test::contract::{AccountPlace, AccountResolverContract, Possible};

use crate::web::{Answer, Web};

struct Server {
    web: Web,
    operator: KeyPair,
}

impl AccountPlace for Server {
    type Resolver = HttpAccounts;

    async fn open(&self) -> HttpAccounts {
        HttpAccounts::new(format!("{}/jwt/v1/accounts", self.web.url()), HttpClient::new().unwrap()).unwrap()
    }

    fn operator(&self) -> &KeyPair {
        &self.operator
    }

    async fn put(&mut self, id: &AccountKey, token: &str) {
        self.web.serve(format!("/jwt/v1/accounts/{id}"), Answer::of(200, token));
    }

    async fn remove(&mut self, id: &AccountKey) -> Possible {
        self.web.serve(format!("/jwt/v1/accounts/{id}"), Answer::of(404, "account not found"));
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.web.hang_up(true);
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.web.hang_up(false);
    }
}

#[tokio::test]
async fn an_account_server_follows_the_contract() {
    let place = Server { web: Web::start().await, operator: KeyPair::generate(Role::Operator).unwrap() };
    AccountResolverContract::new(place).check().await;
}
