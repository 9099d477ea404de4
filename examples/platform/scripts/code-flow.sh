#!/bin/sh
# The code flow by hand: what an application of another company does for its user (RFC 6749, RFC 7636), and what the user's browser does on the way.
# It needs curl and openssl.
#
#   DASHBOARD=http://localhost:4000 ORDERS=http://localhost:4100 sh examples/platform/scripts/code-flow.sh
#
# With PRINT=access_token, it prints that token and ends there, with nothing else on the standard output: for another CLIENT with its REDIRECT_URI and RESOURCE.
set -eu
dashboard="${DASHBOARD:-http://localhost:4000}"
orders="${ORDERS:-http://localhost:4100}"
client="${CLIENT:-report}"
redirect_uri="${REDIRECT_URI:-http://127.0.0.1:4300/callback}"
resource="${RESOURCE:-https://orders.example}"
[ -z "${PRINT:-}" ] || exec 3>&1 1>&2
jar="$(mktemp)"
trap 'rm -f "$jar"' EXIT

say() { printf '\n%s\n' "$*"; }
# The text of a member of the JSON object that comes in. (No value that is read here has an escape in it.)
member() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }
parameter() { printf '%s\n' "$2" | sed -n "s/.*[?&]$1=\\([^&]*\\).*/\\1/p"; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
# Tokens go in by standard input, so that they are in no list of processes.
with_token() { token="$1"; shift; printf 'header = "authorization: Bearer %s"\n' "$token" | curl --silent --show-error --config - "$@"; }
form() { curl --silent --show-error --fail --data @- "$@"; }
status() { "$@" --output /dev/null --write-out '%{http_code}'; }
encoded() { printf %s "$1" | sed 's/:/%3A/g; s/\//%2F/g'; }
fail() { echo "$*" >&2; exit 1; }

say "1. The server says where its endpoints are (RFC 8414)."
metadata="$(curl --silent --show-error --fail "$dashboard/.well-known/oauth-authorization-server")"
issuer="$(echo "$metadata" | member issuer)"
token_endpoint="$(echo "$metadata" | member token_endpoint)"
revocation_endpoint="$(echo "$metadata" | member revocation_endpoint)"
echo "issuer $issuer, tokens at $token_endpoint"

say "2. The application makes a verifier, which it keeps, and its hash, the challenge (PKCE)."
verifier="$(openssl rand 32 | base64url)"
challenge="$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64url)"
state="$(openssl rand 16 | base64url)"
query="response_type=code&client_id=$client&redirect_uri=$(encoded "$redirect_uri")&resource=$(encoded "$resource")&scope=orders%3Aread"
query="$query&state=$state&code_challenge=$challenge&code_challenge_method=S256"
echo "challenge $challenge"

say "3. The user's browser follows the link, and gets the page."
curl --silent --show-error --fail --output /dev/null "$dashboard/authorize?$query"
echo "$dashboard/authorize?response_type=code&client_id=$client&..."

say "4. The user logs in. The session is in a cookie, and the page has an access token for the dashboard."
session="$(printf '{"username":"%s","password":"%s"}' "${NAME:-alice}" "${PASSWORD:-wonderland}" \
  | curl --silent --show-error --fail --cookie-jar "$jar" --header "origin: $dashboard" --header 'content-type: application/json' \
    --data @- "$dashboard/session/log_in")"
page_token="$(echo "$session" | member access_token)"
with_token "$page_token" --fail "$dashboard/api/me"
echo

say "5. The page asks what the application wants, and the user says yes."
question="$(with_token "$page_token" --fail --json "{\"query\":\"$query\"}" "$dashboard/api/authorization")"
if [ "$(echo "$question" | member next)" = go ]; then
  echo "the user has said so before"
  answer="$question"
else
  [ "$(echo "$question" | member next)" = ask ] || fail "no question: $question"
  echo "$(echo "$question" | member client) asks"
  ticket="$(echo "$question" | member ticket)"
  answer="$(with_token "$page_token" --fail --json "{\"ticket\":\"$ticket\",\"allow\":true}" "$dashboard/api/authorization/answer")"
fi
location="$(echo "$answer" | member location)"

say "6. The browser is sent back with a code. The application compares the state, and the issuer (RFC 9207)."
[ "${location%%\?*}" = "$redirect_uri" ] || fail "sent to $location"
[ "$(parameter state "$location")" = "$state" ] || fail "not the state of this flow"
[ "$(parameter iss "$location" | sed 's/%3A/:/g; s/%2F/\//g')" = "$issuer" ] || fail "not from this issuer"
code="$(parameter code "$location")"
echo "$redirect_uri?code=...&state=$state"

say "7. The application redeems the code, with the verifier."
tokens="$(printf 'grant_type=authorization_code&client_id=%s&redirect_uri=%s&code=%s&code_verifier=%s' \
  "$client" "$redirect_uri" "$code" "$verifier" | form "$token_endpoint")"
access_token="$(echo "$tokens" | member access_token)"
if [ -n "${PRINT:-}" ]; then
  echo "$tokens" | member "$PRINT" >&3
  exit
fi
echo "an access token with the scope $(echo "$tokens" | member scope), and a refresh token"

say "8. It calls the second service. The dashboard refuses the same token, which is not for it."
with_token "$access_token" --fail "$orders/orders"
echo
echo "the dashboard answers $(status with_token "$access_token" "$dashboard/api/me")"

say "9. It refreshes: both tokens are new."
tokens="$(printf 'grant_type=refresh_token&client_id=%s&refresh_token=%s' "$client" "$(echo "$tokens" | member refresh_token)" | form "$token_endpoint")"
access_token="$(echo "$tokens" | member access_token)"
refresh_token="$(echo "$tokens" | member refresh_token)"
with_token "$access_token" --fail "$orders/orders"
echo

say "10. It revokes its refresh token (RFC 7009). The session is over, also for the access token, which has not expired."
printf 'client_id=%s&token=%s' "$client" "$refresh_token" | form "$revocation_endpoint"
refused="$(printf 'grant_type=refresh_token&client_id=%s&refresh_token=%s' "$client" "$refresh_token" \
  | curl --silent --show-error --data @- "$token_endpoint")"
echo "a refresh is answered with $(echo "$refused" | member error)"
# The second service is told a moment later.
tries=0
until [ "$(status with_token "$access_token" "$orders/orders")" = 401 ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 10 ] || fail "the second service still accepts the access token"
  sleep 1
done
echo "the second service answers 401"

say "11. The user logs out of the dashboard."
curl --silent --show-error --fail --cookie "$jar" --header "origin: $dashboard" --data '' "$dashboard/session/log_out"
echo "the dashboard answers $(status with_token "$page_token" "$dashboard/api/me")"
