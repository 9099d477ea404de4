// Keys and proofs of NATS over HTTP, with WebCrypto alone. The private key cannot leave the browser: it is not extractable.

const utf8 = new TextEncoder();

/** Makes a key of a user. `name` is its public half, as NATS writes it. */
export async function makeKey() {
  const unsupported = () => { throw new Error('this browser makes no Ed25519 keys: try a newer one'); };
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']).catch(unsupported);
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { private: pair.privateKey, name: nkey(20 << 3, raw) };
}

/** Base32 of the role, the key, and a CRC-16 of both. */
function nkey(role, raw) {
  const bytes = [role, ...raw];
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  bytes.push(crc & 0xff, (crc >> 8) & 0xff);
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[parseInt(five, 2)]).join('');
}

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
export const base64url = (bytes) => base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const sha256 = async (text) => new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)));

/** What is signed: 0xff, the purpose, 0x00, and each part with its length before it. */
function framed(purpose, parts) {
  const bytes = [0xff, ...utf8.encode(purpose), 0];
  for (const part of parts) {
    const octets = typeof part === 'string' ? utf8.encode(part) : part;
    bytes.push(octets.length >>> 24, (octets.length >>> 16) & 0xff, (octets.length >>> 8) & 0xff, octets.length & 0xff, ...octets);
  }
  return new Uint8Array(bytes);
}

/** The nonce that each service has sent last. */
const nonces = new Map();

/** Sends a request with a proof, and once more if the service asks for its nonce. */
async function send(key, purpose, method, url, headers, body, last) {
  const { origin, pathname, search } = new URL(url);
  for (let attempt = 0; ; attempt += 1) {
    const ts = String(Math.floor(Date.now() / 1000));
    const id = base64url(crypto.getRandomValues(new Uint8Array(16)));
    const nonce = nonces.get(origin) ?? '';
    const input = framed(purpose, [origin, method, pathname + search, nonce, ts, id, ...last]);
    const sig = base64url(await crypto.subtle.sign('Ed25519', key.private, input));
    const proof = `v=1; ts=${ts}; ${nonce && `nonce=${nonce}; `}id=${id}; sig=${sig}`;
    const answer = await fetch(url, { method, headers: { ...headers, 'nats-proof': proof }, body });
    const fresh = answer.headers.get('nats-nonce');
    if (fresh) nonces.set(origin, fresh);
    const asksAgain = answer.status === 401 && fresh && answer.headers.get('www-authenticate')?.includes('use_nonce');
    if (!asksAgain || attempt > 0) return answer;
  }
}

/** Asks for a token of NATS for this key, as the user of an access token. */
export async function enrol(key, url, accessToken) {
  const headers = { authorization: `Bearer ${accessToken}` };
  return send(key, 'nats-enrol/1', 'POST', url, headers, key.name, [await sha256(accessToken), key.name]);
}

/** Calls a service as the user of NATS with this key. `account` is the account's token, for services that look nothing up. */
export async function call(key, token, method, url, body, account) {
  const headers = { authorization: `NatsUser ${token}`, ...(account && { 'nats-account': account }) };
  const digest = body === undefined ? '' : `sha-256=:${base64(await sha256(body))}:`;
  if (digest) headers['content-digest'] = digest;
  return send(key, 'nats-http-proof/1', method, url, headers, body, [await sha256(token), digest]);
}
