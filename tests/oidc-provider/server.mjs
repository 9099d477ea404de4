// A real OpenID provider whose keys rotate, and which can be down: see README.md.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

import { CLIENTS, ORDERS, REDIRECT_URI, configuration } from './configuration.mjs';
import { interact, isInteraction } from './interaction.mjs';
import { newKeys } from './keys.mjs';

const counts = { discovery: 0, jwks: 0 };
const COUNTED = {
  '/.well-known/openid-configuration': 'discovery',
  '/.well-known/oauth-authorization-server': 'discovery',
  '/jwks': 'jwks',
};

let down = false;
// The newest generation, which signs.
let signing = [];
let provider;
let handle;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  // Also when down: a request that was made is a request.
  if (pathname in COUNTED) counts[COUNTED[pathname]] += 1;
  if (down) {
    response.writeHead(503).end();
  } else if (isInteraction(pathname)) {
    interact(provider, request, response).catch((error) => response.writeHead(500).end(error.stack));
  } else {
    handle(request, response);
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

// oidc-provider takes its keys when it is made, and signs with the first one that fits. So a rotation is a new provider,
// put in the place of the old one between two requests.
async function signAnew(stillPublished) {
  signing = await newKeys();
  const keys = [...signing, ...stillPublished];
  provider = new Provider(issuer, configuration(keys));
  handle = provider.callback();
  provider.on('server_error', (_, error) => console.error(error));
  return { published: keys.map((key) => key.kid) };
}

const COMMANDS = {
  rotate: () => signAnew(signing),
  replace: () => signAnew([]),
  counts: () => counts,
  down: () => ({ down: (down = true) }),
  up: () => ({ down: (down = false) }),
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

await signAnew([]);
say({
  issuer,
  audience: ORDERS,
  redirect_uri: REDIRECT_URI,
  secrets: Object.fromEntries(CLIENTS.map((client) => [client.client_id, client.client_secret])),
});
for await (const line of createInterface({ input: process.stdin })) {
  const command = COMMANDS[line.trim()];
  say(command ? await command() : { error: `no command ${line}: ${Object.keys(COMMANDS).join(', ')}` });
}
// The test is over, or dead.
process.exit();
