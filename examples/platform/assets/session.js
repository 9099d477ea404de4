// The session of this page: access tokens in memory, the refresh token in a cookie that this script cannot read.

export const config = await (await fetch('/config.json')).json();

// By the service that each is for. A reload forgets them, and the cookie brings new ones.
const tokens = new Map();
// Of an external provider: in memory, too, so that a reload goes to the provider again.
let refreshToken = null;
let refreshes = 0;
const listeners = new Set();
const tabs = new BroadcastChannel('session');

// The session is over, or another user's: what this tab has is worth nothing.
tabs.onmessage = () => forget();

export class LoggedOut extends Error {}

export const onChange = (listener) => listeners.add(listener);
export const refreshCount = () => refreshes;
export const current = (service) => tokens.get(service.audience);

function forget() {
  tokens.clear();
  refreshToken = null;
  listeners.forEach((listener) => listener());
}

function keep(service, answer) {
  const expires = Date.now() + answer.expires_in * 1000;
  tokens.set(service.audience, { text: answer.access_token, expires, lifetime: answer.expires_in, scope: answer.scope ?? '' });
  if (answer.refresh_token) refreshToken = answer.refresh_token;
  return tokens.get(service.audience);
}

const form = (fields) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields),
});

// Browsers without Fetch Metadata and Origin: the MAC of the session, from the cookie that this script can read.
function withMac(request) {
  const mac = document.cookie.split('; ').find((pair) => pair.startsWith('__Host-session-csrf='))?.split('=')[1];
  if (mac) request.headers['x-csrf-token'] = mac;
  return request;
}

// Returns a token for a service: the one at hand, or a new one. Tabs wait for each other, so that one cookie is not used twice at once.
async function token(service, isRefused) {
  const usable = () => {
    const own = tokens.get(service.audience);
    return own && own !== isRefused && own.expires > Date.now() + 2000 ? own : null;
  };
  return usable() ?? navigator.locks.request('refresh', async () => usable() ?? refresh(service));
}

async function refresh(service) {
  const answer = config.is_external ? await refreshExternal(service)
    : await fetch('/session/refresh', withMac(form({ resource: service.audience })));
  if (answer.status === 400 || answer.status === 403) {
    forget();
    throw new LoggedOut();
  }
  if (!answer.ok) throw new Error(`The session cannot be refreshed at the moment (${answer.status}).`);
  refreshes += 1;
  const kept = keep(service, await answer.json());
  listeners.forEach((listener) => listener());
  return kept;
}

// Calls a service. A token that it refuses is replaced once.
export async function call(service, path, request = {}) {
  let own = await token(service);
  for (const isLast of [false, true]) {
    const headers = { ...request.headers, authorization: `Bearer ${own.text}` };
    const answer = await fetch(service.url + path, { ...request, headers });
    if (answer.status !== 401 || isLast) return answer;
    own = await token(service, own);
  }
}

export async function logIn(username, password) {
  const body = JSON.stringify({ username, password });
  const headers = { 'content-type': 'application/json' };
  // The session before ends with it: no refresh of that one may be under way, whose answer would take the new cookie away.
  const answer = await navigator.locks.request('refresh', () => fetch('/session/log_in', { method: 'POST', headers, body }));
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error_description);
  tabs.postMessage('changed');
  keep(config.dashboard, content);
}

// Waits for a refresh that is under way, so that its cookie does not come after the log-out.
async function end(path) {
  const answer = await navigator.locks.request('refresh', () => fetch(path, withMac(form({}))));
  if (!answer.ok && answer.status !== 400) throw new Error(`You are still logged in: try again (${answer.status}).`);
  tabs.postMessage('over');
  forget();
}

export const logOut = () => end('/session/log_out');
export const logOutEverywhere = () => end('/session/log_out_everywhere');

// ---- an external provider: the code flow with PKCE

const encoded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));
const home = `${location.origin}/`;

async function provider() {
  return (await fetch(`${config.issuer}/.well-known/openid-configuration`)).json();
}

export async function goToProvider() {
  const [state, verifier] = [random(), random()];
  sessionStorage.setItem('flow', JSON.stringify({ state, verifier }));
  const challenge = encoded(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    response_type: 'code', client_id: config.client_id, redirect_uri: home, state,
    code_challenge: challenge, code_challenge_method: 'S256', scope: 'openid orders:read orders:write',
  });
  for (const service of [config.dashboard, config.orders]) query.append('resource', service.audience);
  location.assign(`${(await provider()).authorization_endpoint}?${query}`);
}

// Redeems the code in this page's address, if it is the answer to what this tab has asked.
export async function comeBack() {
  const query = new URLSearchParams(location.search);
  const flow = JSON.parse(sessionStorage.getItem('flow') ?? 'null');
  if (!query.has('state') || !flow) return;
  sessionStorage.removeItem('flow');
  history.replaceState(null, '', '/');
  if (query.get('state') !== flow.state || (query.get('iss') ?? config.issuer) !== config.issuer) throw new Error('This answer is not for this tab.');
  if (query.has('error')) throw new Error(`The provider says: ${query.get('error_description') ?? query.get('error')}`);
  const fields = {
    grant_type: 'authorization_code', client_id: config.client_id, redirect_uri: home,
    code: query.get('code'), code_verifier: flow.verifier, resource: config.dashboard.audience,
  };
  const answer = await fetch((await provider()).token_endpoint, form(fields));
  if (!answer.ok) throw new Error('The provider refuses the code.');
  keep(config.dashboard, await answer.json());
}

async function refreshExternal(service) {
  if (!refreshToken) throw new LoggedOut();
  const fields = { grant_type: 'refresh_token', client_id: config.client_id, refresh_token: refreshToken, resource: service.audience };
  return fetch((await provider()).token_endpoint, form(fields));
}
