//! What to try, as lines for a shell.

use std::path::Path;

/// Returns the lines. README.md says more about them.
pub(crate) fn lines(backend: &str, functions: &str, admin_key: &Path) -> String {
    let key = admin_key.display();
    format!(
        r#"
Try in another terminal (with jq):

  ACCESS=$(curl -s {backend}/session --json '{{"username": "bob", "password": "can-we-fix-it"}}' | jq -r .access_token)
  JWT=$(curl -s -X POST "{backend}/account/jwt?minutes=5" -H "Authorization: Bearer $ACCESS" | jq -r .jwt)
  curl -s {backend}/documents -H "X-Backend-JWT: $JWT" | jq  # what Bob sees, and no more
  curl -s -X POST {functions}/functions/summary -H "X-Backend-JWT: $JWT" | jq  # the same, by a function that acts as Bob
  curl -s {backend}/documents -H "X-Backend-Key: $(cat {key})" | jq  # the administrator sees all
  curl -s {backend}/documents -H "X-Backend-Key: $(cat {key})" -H "X-Backend-JWT: $JWT" | jq  # two at once are refused
  curl -s -X DELETE {backend}/session -H "Authorization: Bearer $ACCESS"  # Bob logs out
  curl -s -X POST {functions}/functions/summary -H "X-Backend-JWT: $JWT" | jq  # and the function is refused
"#
    )
}
