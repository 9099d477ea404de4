// Who may ask the provider for what.

import { errors } from 'oidc-provider';

import { Storage } from './storage.mjs';

export const ORDERS = 'https://orders.test';
const BILLING = 'https://billing.test';
const SCOPES = {
  [ORDERS]: 'orders:read orders:write',
  [BILLING]: 'billing:read',
};

// Longer than a test needs, shorter than anybody's patience with a forgotten token.
const ACCESS_TOKEN_SECONDS = 120;
const HOUR = 3600;

export const REDIRECT_URI = 'https://web.test/callback';

const machine = (client_id) => ({
  client_id,
  client_secret: `${client_id}-secret`,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

export const CLIENTS = [
  machine('machine'),
  machine('machine-es256'),
  { client_id: 'web', client_secret: 'web-secret', redirect_uris: [REDIRECT_URI] },
  // The page of examples/platform. Of a native client, the port of a loopback address may differ.
  {
    client_id: 'dashboard',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://localhost/'],
    grant_types: ['authorization_code', 'refresh_token'],
  },
];

export const configuration = (keys) => ({
  adapter: Storage,
  clients: CLIENTS,
  jwks: { keys },
  scopes: ['openid'],
  cookies: { keys: ['only loopback ever sees these cookies'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  // Pages of other origins may use the endpoints, and get refresh tokens without asking for `offline_access`.
  clientBasedCORS: () => true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo },
  },
  // With plain numbers, the defaults that warn about themselves are not called.
  ttl: {
    AccessToken: ACCESS_TOKEN_SECONDS,
    ClientCredentials: ACCESS_TOKEN_SECONDS,
    Grant: HOUR,
    IdToken: HOUR,
    Interaction: HOUR,
    RefreshToken: HOUR,
    Session: HOUR,
  },
});

function getResourceServerInfo(_, resource, client) {
  if (!(resource in SCOPES)) throw new errors.InvalidTarget();
  return {
    audience: resource,
    scope: SCOPES[resource],
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: client.clientId === 'machine-es256' ? 'ES256' : 'RS256' } },
  };
}
