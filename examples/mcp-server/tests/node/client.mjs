// Uses all tools of the server at the URL that is the argument, and prints what it saw. The user says yes to everything.

const [library, server, clientMetadataUrl] = process.argv.slice(2);
const sdk = '@modelcontextprotocol/sdk/client';
const modules = {
  'version 1': [`${sdk}/index.js`, `${sdk}/auth.js`, `${sdk}/streamableHttp.js`],
  'version 2': ['@modelcontextprotocol/client'],
}[library];
const imported = await Promise.all(modules.map((name) => import(name)));
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = Object.assign({}, ...imported);

const asked = [];
const redirectUrl = 'http://127.0.0.1:1/callback';

/** What the library asks an application to keep. */
const provider = {
  redirectUrl,
  clientMetadataUrl,
  clientMetadata: { redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
  state: () => 's-1',
  clientInformation: () => provider.client,
  saveClientInformation: (client) => { provider.client = client; },
  tokens: () => provider.saved,
  saveTokens: ({ refresh_token, ...tokens }) => {
    // With a refresh token, version 1 refreshes after a 403, and does not ask for the missing scope.
    provider.saved = library === 'version 1' ? tokens : { refresh_token, ...tokens };
  },
  saveCodeVerifier: (verifier) => { provider.verifier = verifier; },
  codeVerifier: () => provider.verifier,
  redirectToAuthorization: (url) => { provider.page = url; },
};

let transport;

async function connect() {
  const client = new Client({ name: 'walker', version: '1.0.0' });
  transport = new StreamableHTTPClientTransport(new URL(server), { authProvider: provider });
  await client.connect(transport);
  return client;
}

/** The user's browser: it opens the page, and is sent back with a code. */
async function authorize() {
  asked.push(Object.fromEntries(provider.page.searchParams));
  const answer = await fetch(provider.page, { redirect: 'manual' });
  const back = new URL(answer.headers.get('location'));
  // Version 2 takes all parameters, and compares the issuer.
  await transport.finishAuth(library === 'version 1' ? back.searchParams.get('code') : back.searchParams);
}

/** Does it, after asking the user if the server demands that. */
async function withConsent(action) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await authorize();
    return action();
  }
}

const client = await withConsent(connect);
const text = async (name, args) => {
  const result = await withConsent(() => client.callTool({ name, arguments: args }));
  return result.content[0].text;
};
const { tools } = await client.listTools();
const before = await text('read_notes', {});
const added = await text('add_note', { text: 'buy oranges' });
const after = await text('read_notes', {});
await client.close();
console.log(JSON.stringify({ tools: tools.map(({ name }) => name), before, added, after, asked }));
