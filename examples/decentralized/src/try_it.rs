//! What to try, as lines for a shell.

use crate::market::Market;

/// Returns the lines. README.md says more about them.
pub(crate) fn lines(market: &Market, orders: &str, billing: &str, desk: &str) -> String {
    let folder = market.folder().display();
    format!(
        r#"
Try in another terminal:

  M="cargo run -qp decentralized --"; D={folder}; export RUST_LOG=off
  $M call $D/shop/olga.creds GET {orders}/orders/7           # the shop's own user
  $M call $D/acme/alice.creds POST {orders}/orders/8 "eight plums"  # acme may write: it has an activation
  $M call $D/globex/gina.creds GET {orders}/orders/8         # globex imports reading only
  $M call $D/globex/gina.creds POST {orders}/orders/8 "more" # 403
  $M call $D/acme/bob.creds GET {orders}/orders/8            # bob was signed by acme's key for readers
  STAPLE=$D/acme/account.jwt $M call $D/acme/alice.creds POST {billing}/bills "100"
  STAPLE=$D/globex/account.jwt $M call $D/globex/gina.creds GET {billing}/bills  # not acme's
  $M revoke acme alice                                       # acme ends alice's token
  $M call $D/acme/alice.creds GET {orders}/orders/7          # 401, after five seconds at the latest
  $M issue acme alice                                        # a new token for the same key is good again
  $M enrol ada {desk} GET {orders}/orders/7                  # who has no credentials file gets a user for ten minutes

And in a browser: {desk}
"#
    )
}
