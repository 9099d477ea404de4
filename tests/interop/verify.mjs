// Verifies tokens with jose. Questions and answers are those of verify.py.

import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

globalThis.crypto ??= webcrypto // Node.js 18 has none
const { createRemoteJWKSet, importJWK, jwtVerify } = await import('jose')

async function verify({ token, alg, issuer, audience, url, key }) {
  const keys = url ? createRemoteJWKSet(new URL(url)) : await importJWK(key)
  const rules = { algorithms: [alg], issuer, audience, typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'sub'] }
  const { payload } = await jwtVerify(token, keys, rules)
  return payload
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = { claims: await verify(JSON.parse(line)) }
  } catch (error) {
    answer = { refused: `${error.name}: ${error.message}` }
  }
  console.log(JSON.stringify(answer))
}
