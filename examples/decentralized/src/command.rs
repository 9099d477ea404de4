//! The commands.

use crate::{Failure, billing, client, desk, market::Market, orders, say, settings::Settings};

const HELP: &str = "\
cargo run -p decentralized                                  makes the organisations, and starts both services and the desk
cargo run -p decentralized -- init                          makes the organisations, and starts nothing
cargo run -p decentralized -- orders | billing | desk       starts one part
cargo run -p decentralized -- environment orders | billing  prints what a service has to be told, to start it alone
cargo run -p decentralized -- routes                        lists the routes, with the subject for each
cargo run -p decentralized -- call CREDS METHOD URL [BODY]  sends a request as a user (STAPLE is a file with the account's token)
cargo run -p decentralized -- enrol DESK METHOD URL [BODY]  gets a user of NATS for a new key at the desk, and sends a request as it
                                                            (LOG_IN_AS is who logs in at the desk itself, ACCESS_TOKEN a token of its identity provider)
cargo run -p decentralized -- revoke ORG USER               ends a user's tokens
cargo run -p decentralized -- issue ORG USER                makes a user, or signs a new token for its key
cargo run -p decentralized -- replace-key ORG               removes the signing key of an organisation, and adds another one
cargo run -p decentralized -- staple ORG                    signs the token of an account again, for callers to bring along
cargo run -p decentralized -- new-operator-key              adds a signing key of the operator, which signs from now on
cargo run -p decentralized -- drop-operator-key             removes the older one, if it has signed no account's current token
cargo run -p decentralized -- operator                      prints the operator's public keys, for OPERATOR
cargo run -p decentralized -- server-config                 prints the configuration with which a nats-server trusts the operator

README.md lists the settings, which are variables of the environment.";

pub(crate) async fn run(settings: &Settings, command: &[&str]) -> Result<(), Failure> {
    let market = || Market::open(&settings.data);
    match command {
        ["init"] => Market::open_or_create(&settings.data).await.map(drop),
        ["orders"] => orders::serve(settings).await,
        ["billing"] => billing::serve(settings).await,
        ["desk"] => desk::serve(settings).await,
        ["environment", "orders"] => say(&lines(market()?.environment_of_orders()?)),
        ["environment", "billing"] => say(&lines(market()?.environment_of_billing()?)),
        ["routes"] => say(&format!("orders\n{}\nbilling\n{}", orders::access(), billing::access())),
        ["call", creds, method, url, body @ ..] => client::call(settings, creds, method, url, body).await,
        ["enrol", desk, method, url, body @ ..] => client::enrol(settings, desk, method, url, body).await,
        ["revoke", organisation, user] => market()?.revoke(organisation, user).await,
        ["issue", organisation, user] => market()?.issue(organisation, user).await,
        ["replace-key", organisation] => market()?.replace_signing_key(organisation).await,
        ["staple", organisation] => market()?.staple(organisation).await,
        ["new-operator-key"] => market()?.new_operator_key().await,
        ["drop-operator-key"] => market()?.drop_operator_key().await,
        ["server-config"] => say(&market()?.server_config()?),
        ["operator"] => say(&market()?.operator_keys()?),
        ["help" | "--help" | "-h"] => say(HELP),
        unknown => Err(format!("there is no command {:?}\n\n{HELP}", unknown.join(" ")).into()),
    }
}

/// As a shell reads them.
fn lines(environment: Vec<(&'static str, String)>) -> String {
    let lines: Vec<_> = environment.into_iter().map(|(name, value)| format!("export {name}='{value}'")).collect();
    lines.join("\n")
}
