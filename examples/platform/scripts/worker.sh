#!/bin/sh
# A client that is a script: it acts for itself (client credentials), and needs nothing but curl.
#
#   DASHBOARD=http://localhost:4000 ORDERS=http://localhost:4100 DATA=target/platform sh examples/platform/scripts/worker.sh
set -eu
dashboard="${DASHBOARD:-http://localhost:4000}"
orders="${ORDERS:-http://localhost:4100}"
secret="$(cat "${DATA:-target/platform}/worker.secret")"

# The secret goes in by standard input, so that it is in no list of processes.
token="$(printf 'user = "worker:%s"\n' "$secret" \
  | curl --silent --show-error --fail --config - --data grant_type=client_credentials "$dashboard/oauth/token" \
  | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')"

printf 'header = "authorization: Bearer %s"\n' "$token" | curl --silent --show-error --fail --config - "$orders/orders"
echo
