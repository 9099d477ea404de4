// What the programs of this folder share. The test says on standard input what there is: a JSON object. Each token that a program gets goes to
// standard output, a JSON object a line, so that the test lets other libraries verify it, too.

import './crypto.mjs'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRemoteJWKSet, importPKCS8, jwtVerify } from 'jose'

export const world = JSON.parse(readFileSync(0, 'utf8'))
export const issuer = new URL(world.issuer)
export const robotKey = { key: await importPKCS8(world.robot.key, 'ES256'), kid: world.robot.kid }

// Waits until the user has answered, and returns where the browser is sent. The page says yes to everything.
export async function visit(url) {
  const answer = await fetch(url, { redirect: 'manual' })
  assert.equal(answer.status, 303, await answer.text())
  return new URL(answer.headers.get('location'))
}

// Lets the user of a device answer.
export async function enter(code, says) {
  const answer = await fetch(`${code.verification_uri_complete}&says=${says}`)
  assert.equal(answer.status, 200, await answer.text())
}

// Verifies an access token as a service does, and hands it to the test.
export async function check(metadata, flow, tokens, { audience, scope, client, subject = 'alice' }) {
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  const rules = { issuer: world.issuer, audience, algorithms: ['ES256'], typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'jti'] }
  const { payload } = await jwtVerify(tokens.access_token, keys, rules)
  assert.deepEqual([payload.aud, payload.sub, payload.client_id, payload.scope], [audience, subject, client, scope], flow)
  assert.equal(tokens.scope, scope, flow)
  assert.equal(tokens.token_type, 'bearer', flow) // both libraries write it in lower case
  assert.ok(tokens.expires_in > 0, flow)
  console.log(JSON.stringify({ flow, token: tokens.access_token, audience }))
  return payload
}

// Makes sure that the server refuses by this code, in a way that the library understands.
export async function refused(attempt, code, status = 400) {
  const error = await attempt.then(() => assert.fail(`not refused with ${code}`), (error) => error)
  assert.equal(error.error ?? error.cause?.error, code, error.stack)
  assert.equal(error.status, status, error.stack)
}
