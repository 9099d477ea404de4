//! What to try.

use std::{error::Error, net::SocketAddr};

use portcullis::UnixTime;

use crate::{mint::Mint, users::Users};

/// Command lines that show 200, 400, 401 and 403, with tokens that live as long as any other.
pub(crate) fn command_lines(
    address: SocketAddr,
    mint: &Mint,
    users: &Users,
    now: UnixTime,
) -> Result<String, Box<dyn Error>> {
    let token = |name: &str| -> Result<_, Box<dyn Error>> {
        let user = users.named(name).ok_or_else(|| format!("the demo has no user {name}"))?;
        Ok(mint.mint(user, now)?)
    };
    let (alice, bob) = (token("alice")?, token("bob")?);
    let url = format!("http://{address}");
    let json = "-H 'Content-Type: application/json' -d";
    let login = |password: &str| format!("{json} '{{\"username\": \"alice\", \"password\": \"{password}\"}}'");
    let bearer = |token: &str| format!("-H 'Authorization: Bearer {token}'");
    let (alice, bob) = (bearer(alice.expose()), bearer(bob.expose()));
    let (right, wrong) = (login("wonderland"), login("looking-glass"));
    Ok(format!(
        "This is a demo: everybody knows its passwords, and its secret dies with it. Try:

# 200, a token for 15 minutes
curl -i {url}/login {right}

# 400, that is not her password
curl -i {url}/login {wrong}

# 401, there is no token
curl -i {url}/orders

# 200, bob may read orders
curl -i {url}/orders {bob}

# 403, but place none
curl -i {url}/orders {bob} {json} '{{\"item\": \"pears\", \"quantity\": 3}}'

# 201, alice may
curl -i {url}/orders {alice} {json} '{{\"item\": \"pears\", \"quantity\": 3}}'

# 403, bob is no admin
curl -i {url}/admin/secrets {bob}

# 200, alice is
curl -i {url}/admin/secrets {alice}
"
    ))
}
