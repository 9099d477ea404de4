//! What operator and organisations do, as commands.

use crate::{Failure, market::Market, say, settings::Settings};

const HELP: &str = "\
cargo run -p decentralized                                makes the organisations, and starts both services
cargo run -p decentralized -- found                       makes the organisations, and starts nothing
cargo run -p decentralized -- orders | billing | desk     starts one part (OPERATOR has the operator's public keys, for the services)
cargo run -p decentralized -- routes                      lists the routes, with the subject for each
cargo run -p decentralized -- call CREDS METHOD URL BODY  sends a request as a user (STAPLE is a file with the account's token)
cargo run -p decentralized -- enrol NAME DESK METHOD URL BODY  gets a user of NATS for a new key at the desk, and sends a request as it (ACCESS_TOKEN instead of NAME)
cargo run -p decentralized -- revoke ORG USER             ends a user's token
cargo run -p decentralized -- issue ORG USER              signs a new token for the same user
cargo run -p decentralized -- replace-key ORG             removes the signing key of an organisation, and adds another one
cargo run -p decentralized -- staple ORG                  signs the token of an account again, for callers to bring along
cargo run -p decentralized -- new-operator-key            adds a signing key of the operator, which signs from now on
cargo run -p decentralized -- drop-operator-key           removes the older one, if it has signed no account's current token
cargo run -p decentralized -- operator                    prints the operator's public keys, for OPERATOR
cargo run -p decentralized -- server-config               prints the configuration with which a nats-server trusts the operator

README.md lists the settings, which are variables of the environment.";

pub(crate) async fn run(settings: &Settings, command: &[&str]) -> Result<(), Failure> {
    if command == ["found"] {
        Market::found(&settings.data).await?;
        return Ok(());
    }
    let market = || Market::open(&settings.data);
    match command {
        ["revoke", organisation, user] => market()?.revoke(organisation, user).await,
        ["issue", organisation, user] => market()?.issue(organisation, user).await,
        ["replace-key", organisation] => market()?.replace_signing_key(organisation).await,
        ["staple", organisation] => market()?.staple(organisation).await,
        ["new-operator-key"] => market()?.new_operator_key().await,
        ["drop-operator-key"] => market()?.drop_operator_key().await,
        ["server-config"] => say(&market()?.server_config()?),
        ["operator"] => say(&market()?.operator_keys()?),
        _ => say(HELP),
    }
}
