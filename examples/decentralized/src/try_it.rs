//! What to try, as lines for a shell.

use crate::{market::Market, settings::Settings};

/// Returns the lines. README.md says more about them.
pub(crate) fn lines(market: &Market, settings: &Settings, orders: &str, billing: &str, desk: &str) -> String {
    let folder = market.folder().display();
    let enrol = match &settings.issuer {
        None => format!(
            "LOG_IN_AS=ada m enrol {desk} GET {orders}/orders/7               # who has no credentials file gets a user for ten minutes"
        ),
        Some(issuer) => format!("# open {desk}, and log in at {issuer}"),
    };
    format!(
        r#"
Try in another terminal:

  m() {{ RUST_LOG=off cargo run -qp decentralized -- "$@"; }}; D='{folder}'
  m call "$D/shop/olga.creds" GET {orders}/orders/7           # the shop's own user
  m call "$D/acme/alice.creds" POST {orders}/orders/8 "eight plums"  # acme may write: it has an activation
  m call "$D/globex/gina.creds" GET {orders}/orders/8         # globex imports reading only
  m call "$D/globex/gina.creds" POST {orders}/orders/8 "more" # 403
  m call "$D/acme/bob.creds" GET {orders}/orders/8            # bob was signed by acme's key for readers
  STAPLE="$D/acme/account.jwt" m call "$D/acme/alice.creds" POST {billing}/bills "100"
  STAPLE="$D/globex/account.jwt" m call "$D/globex/gina.creds" GET {billing}/bills  # not acme's
  m revoke acme alice                                       # acme ends alice's token
  m call "$D/acme/alice.creds" GET {orders}/orders/7          # 401, after five seconds at the latest
  m issue acme alice                                        # a new token for the same key is good again
  {enrol}

And in a browser: {desk}
"#
    )
}
