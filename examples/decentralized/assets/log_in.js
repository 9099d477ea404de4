// Access tokens for the desk: from its own log-in, which asks for no password, or from an identity provider, by the code flow with PKCE.

import { base64url } from '/nats.js';

const form = (fields) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields),
});

/** Logs in at the desk itself. */
export async function logIn(username) {
  const body = JSON.stringify({ username });
  const answer = await fetch('/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!answer.ok) throw new Error(`the log-in was refused: ${answer.status}`);
  return (await answer.json()).access_token;
}

/** Ends the session at the desk itself, with its users of NATS. */
export async function logOut(accessToken) {
  const answer = await fetch('/session', { method: 'DELETE', headers: { authorization: `Bearer ${accessToken}` } });
  if (!answer.ok) throw new Error(`you are still logged in: ${answer.status}`);
}

// ---- at an identity provider

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const home = `${location.origin}/`;
const metadata = async ({ issuer }) => (await fetch(`${issuer}/.well-known/openid-configuration`)).json();

/** Sends the user to the provider, for a token that is for the desk alone. */
export async function goToProvider(provider, audience) {
  const [state, verifier] = [random(), random()];
  sessionStorage.setItem('flow', JSON.stringify({ state, verifier }));
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    response_type: 'code', client_id: provider.client_id, redirect_uri: home, state, resource: audience,
    code_challenge: challenge, code_challenge_method: 'S256', scope: 'orders:read',
  });
  location.assign(`${(await metadata(provider)).authorization_endpoint}?${query}`);
}

/** Redeems the code in this page's address, if it is the answer to what this tab has asked. */
export async function comeBack(provider, audience) {
  const query = new URLSearchParams(location.search);
  const flow = JSON.parse(sessionStorage.getItem('flow') ?? 'null');
  if (!query.has('state') || !flow) return undefined;
  sessionStorage.removeItem('flow');
  history.replaceState(null, '', '/');
  if (query.get('state') !== flow.state || query.get('iss') !== provider.issuer) throw new Error('this answer is not for this tab');
  if (query.has('error')) throw new Error(query.get('error_description') ?? query.get('error'));
  const answer = await fetch((await metadata(provider)).token_endpoint, form({
    grant_type: 'authorization_code', client_id: provider.client_id, redirect_uri: home,
    code: query.get('code'), code_verifier: flow.verifier, resource: audience,
  }));
  if (!answer.ok) throw new Error(`the provider refuses the code: ${answer.status}`);
  return (await answer.json()).access_token;
}
