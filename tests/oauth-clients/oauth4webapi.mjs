// Every grant, step by step, with oauth4webapi.

import assert from 'node:assert/strict'
import { check, enter, issuer, refused, robotKey, visit, world } from './world.mjs'
import * as oauth from 'oauth4webapi'

const local = { [oauth.allowInsecureRequests]: true } // the server has no TLS: it is on this machine
const { resource, other, callback, page, server, worker, robot, device } = world

const as = await discover('oauth2')
assert.deepEqual(await discover('oidc'), as)

const publicPage = [as, { client_id: page.id }, oauth.None()]
const webServer = [as, { client_id: server.id }, oauth.ClientSecretBasic(server.secret)]
const webWorker = [as, { client_id: worker.id }, oauth.ClientSecretBasic(worker.secret)]
const signer = [as, { client_id: robot.id }, oauth.PrivateKeyJwt(robotKey)]
const commandLine = [as, { client_id: device.id }, oauth.None()]

for (const client of [publicPage, webServer, signer]) {
  await codes(client)
}
await mixUps()
await replayedCodes()
await applications()
await revocations()
await devices()
await introspections()
await exchanges()

async function discover(algorithm) {
  const answer = await oauth.discoveryRequest(issuer, { algorithm, ...local })
  return oauth.processDiscoveryResponse(issuer, answer)
}

async function ask({ client_id }, more = {}) {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()]
  const url = new URL(as.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id,
    redirect_uri: callback,
    scope: 'orders:read orders:write',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  }
  url.search = new URLSearchParams(parameters)
  url.searchParams.append('resource', resource)
  url.searchParams.append('resource', other)
  return { answer: await visit(url), verifier, state }
}

async function redeem(client, { answer, verifier, state }, more = { resource }) {
  const parameters = oauth.validateAuthResponse(as, client[1], answer, state)
  const options = { additionalParameters: more, ...local }
  const response = await oauth.authorizationCodeGrantRequest(...client, parameters, callback, verifier, options)
  return oauth.processAuthorizationCodeResponse(as, client[1], response)
}

async function refresh(client, token, more = {}) {
  const response = await oauth.refreshTokenGrantRequest(...client, token, { additionalParameters: more, ...local })
  return oauth.processRefreshTokenResponse(as, client[1], response)
}

async function logIn(client) {
  return redeem(client, await ask(client[1]))
}

async function codes(client) {
  const id = client[1].client_id
  const first = await logIn(client)
  await check(as, `code of ${id}`, first, { audience: resource, scope: 'orders:read orders:write', client: id })
  // The rules of RFC 9068, as this library reads them.
  const request = new Request(resource, { headers: { authorization: `Bearer ${first.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, resource, local)
  assert.equal(claims.sub, 'alice')
  // Less, for another service; then all of it, for the first.
  const less = await refresh(client, first.refresh_token, { scope: 'orders:read', resource: other })
  await check(as, `refresh of ${id}`, less, { audience: other, scope: 'orders:read', client: id })
  const all = await refresh(client, less.refresh_token ?? first.refresh_token, { resource })
  await check(as, `second refresh of ${id}`, all, { audience: resource, scope: 'orders:read orders:write', client: id })
  const last = all.refresh_token ?? less.refresh_token ?? first.refresh_token
  await refused(refresh(client, last, { scope: 'orders:read admin' }), 'invalid_scope')
  await refused(refresh(client, last, { resource: 'https://elsewhere.test' }), 'invalid_target')
}

async function mixUps() {
  const asked = await ask(publicPage[1])
  for (const iss of [undefined, 'https://attacker.test']) {
    const answer = new URL(asked.answer)
    answer.searchParams.delete('iss')
    if (iss) answer.searchParams.set('iss', iss)
    await assert.rejects(redeem(publicPage, { ...asked, answer }), /iss/)
  }
  await refused(redeem(publicPage, { ...asked, verifier: oauth.generateRandomCodeVerifier() }), 'invalid_grant')
  await redeem(publicPage, asked)
  // A page that may not be shown.
  const silent = await ask(publicPage[1], { prompt: 'none' })
  await assert.rejects(redeem(publicPage, silent), { code: oauth.AUTHORIZATION_RESPONSE_ERROR, error: 'consent_required' })
}

async function replayedCodes() {
  const asked = await ask(publicPage[1])
  const tokens = await redeem(publicPage, asked)
  await refused(redeem(publicPage, asked), 'invalid_grant')
  await refused(refresh(publicPage, tokens.refresh_token), 'invalid_grant')
}

async function ownToken(client, parameters) {
  const response = await oauth.clientCredentialsGrantRequest(...client, parameters, local)
  return oauth.processClientCredentialsResponse(as, client[1], response)
}

async function applications() {
  for (const client of [webWorker, signer]) {
    const id = client[1].client_id
    const tokens = await ownToken(client, { scope: 'orders:read', resource })
    await check(as, `own token of ${id}`, tokens, { audience: resource, scope: 'orders:read', client: id, subject: id })
    assert.equal(tokens.refresh_token, undefined)
  }
  const stranger = [as, webWorker[1], oauth.ClientSecretBasic('another secret')]
  const challenged = await ownToken(stranger, { resource }).catch((error) => error)
  assert.equal(challenged.code, oauth.WWW_AUTHENTICATE_CHALLENGE, challenged.stack)
  assert.deepEqual([challenged.status, challenged.cause[0].scheme], [401, 'basic'])
  await refused(ownToken(publicPage, { resource }), 'unauthorized_client')
}

async function revoke(client, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(...client, token, local))
}

async function revocations() {
  for (const client of [publicPage, webServer, signer]) {
    const tokens = await logIn(client)
    // Another client's request changes nothing, and is told nothing.
    await revoke(client === publicPage ? webServer : publicPage, tokens.refresh_token)
    const next = await refresh(client, tokens.refresh_token, { resource })
    await revoke(client, next.access_token)
    await revoke(client, next.refresh_token ?? tokens.refresh_token)
    await refused(refresh(client, next.refresh_token ?? tokens.refresh_token), 'invalid_grant')
  }
}

async function start() {
  const parameters = { scope: 'orders:read', resource }
  const response = await oauth.deviceAuthorizationRequest(...commandLine, parameters, local)
  return oauth.processDeviceAuthorizationResponse(as, commandLine[1], response)
}

async function poll(code) {
  const response = await oauth.deviceCodeGrantRequest(...commandLine, code.device_code, local)
  return oauth.processDeviceCodeResponse(as, commandLine[1], response)
}

async function devices() {
  const code = await start()
  await refused(poll(code), 'authorization_pending')
  await refused(poll(code), 'slow_down')
  await enter(code, 'yes')
  const tokens = await poll(code)
  const expected = { audience: resource, scope: 'orders:read', client: device.id }
  await check(as, 'device', tokens, expected)
  await check(as, 'refresh of a device', await refresh(commandLine, tokens.refresh_token), expected)
  const denied = await start()
  await enter(denied, 'no')
  await refused(poll(denied), 'access_denied')
}

async function introspect(token) {
  const service = [as, { client_id: world.service.id }, oauth.ClientSecretBasic(world.service.secret)]
  const response = await oauth.introspectionRequest(...service, token, local)
  return oauth.processIntrospectionResponse(as, service[1], response)
}

async function introspections() {
  const tokens = await logIn(publicPage)
  const told = await introspect(tokens.access_token)
  assert.deepEqual([told.active, told.sub, told.client_id, told.aud], [true, 'alice', page.id, resource])
  const elsewhere = await refresh(publicPage, tokens.refresh_token, { resource: other })
  assert.deepEqual(await introspect(elsewhere.access_token), { active: false })
  await revoke(publicPage, tokens.access_token)
  assert.deepEqual(await introspect(tokens.access_token), { active: false })
}

async function exchange(client, token, more) {
  const type = 'urn:ietf:params:oauth:token-type:access_token'
  const parameters = { subject_token: token, subject_token_type: type, ...more }
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const response = await oauth.genericTokenEndpointRequest(...client, grant, parameters, local)
  const tokens = await oauth.processGenericTokenEndpointResponse(as, client[1], response)
  assert.equal(tokens.issued_token_type, type)
  return tokens
}

async function exchanges() {
  const caller = await logIn(publicPage)
  const next = await exchange(webWorker, caller.access_token, { resource: other, scope: 'orders:read' })
  const claims = await check(as, 'exchange', next, { audience: other, scope: 'orders:read', client: worker.id })
  assert.deepEqual(claims.act, { sub: worker.id })
  await refused(exchange(webWorker, caller.access_token, { resource: other, scope: 'admin' }), 'invalid_scope')
  await refused(exchange(webServer, caller.access_token, { resource: other }), 'unauthorized_client')
}
