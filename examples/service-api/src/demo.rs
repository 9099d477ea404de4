//! What to try.

use std::{error::Error, net::SocketAddr};

use portcullis::clock::UnixTime;

use crate::{mint::Mint, users::Users};

/// Command lines that show 200, 400, 401 and 403, and how tokens end before they expire.
pub(crate) fn command_lines(
    address: SocketAddr,
    mint: &Mint,
    users: &Users,
    now: UnixTime,
) -> Result<String, Box<dyn Error>> {
    let bearer = |name: &str| -> Result<_, Box<dyn Error>> {
        let user = users.named(name).ok_or_else(|| format!("the demo has no user {name}"))?;
        Ok(format!("-H 'Authorization: Bearer {}'", mint.mint(user, now)?.expose()))
    };
    let (alice, bob, other) = (bearer("alice")?, bearer("bob")?, bearer("bob")?);
    let url = format!("http://{address}");
    let json = "-H 'Content-Type: application/json' -d";
    let login = |password: &str| format!("{json} '{{\"username\": \"alice\", \"password\": \"{password}\"}}'");
    let (right, wrong) = (login("wonderland"), login("looking-glass"));
    Ok(format!(
        "This is a demo: everybody knows its passwords, and its secret dies with it. Try, in this order:

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

# 204, bob logs out of another session of his
curl -i -X POST {url}/logout {other}

# 401, whose token is refused from now on
curl -i {url}/orders {other}

# 200, while this session goes on
curl -i {url}/orders {bob}

# 200, alice revokes whatever bob has got (events show it: curl -N {url}/events with a token of his)
curl -i {url}/admin/revoke {alice} {json} '{{\"user\": \"bob\"}}'

# 401, this session, too
curl -i {url}/orders {bob}
"
    ))
}
