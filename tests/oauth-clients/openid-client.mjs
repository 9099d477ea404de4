// Every grant as an application writes it, with openid-client.

import assert from 'node:assert/strict'
import { check, enter, issuer, refused, robotKey, visit, world } from './world.mjs'
import * as client from 'openid-client'

const { resource, other, callback, page, server, worker, robot, device } = world

const publicPage = await discover(page.id, client.None())
const webServer = await discover(server.id, client.ClientSecretBasic(server.secret))
const webWorker = await discover(worker.id, client.ClientSecretBasic(worker.secret))
const signer = await discover(robot.id, client.PrivateKeyJwt(robotKey))
const commandLine = await discover(device.id, client.None())
// Without a word about it, the library looks for the metadata of OpenID Connect first.
const asOpenId = await discover(page.id, client.None(), 'oidc')
const metadata = publicPage.serverMetadata()
assert.deepEqual(asOpenId.serverMetadata(), metadata)
assert.equal(metadata.supportsPKCE(), true)

// A device waits some seconds between its questions.
await Promise.all([devices(), pages()])

async function pages() {
  for (const each of [publicPage, webServer, signer, asOpenId]) await codes(each)
  await applications()
  await introspections()
  await exchanges()
}

async function discover(id, authentication, algorithm = 'oauth2') {
  // The server has no TLS: it is on this machine.
  return client.discovery(issuer, id, undefined, authentication, { algorithm, execute: [client.allowInsecureRequests] })
}

async function logIn(config) {
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'orders:read orders:write',
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  url.searchParams.append('resource', resource)
  url.searchParams.append('resource', other)
  return client.authorizationCodeGrant(config, await visit(url), { pkceCodeVerifier, expectedState }, { resource })
}

async function codes(config) {
  const id = config.clientMetadata().client_id
  const first = await logIn(config)
  await check(metadata, `code of ${id}`, first, { audience: resource, scope: 'orders:read orders:write', client: id })
  assert.ok(first.expiresIn() > 0)
  const less = await client.refreshTokenGrant(config, first.refresh_token, { scope: 'orders:read', resource: other })
  await check(metadata, `refresh of ${id}`, less, { audience: other, scope: 'orders:read', client: id })
  const token = less.refresh_token ?? first.refresh_token
  await client.tokenRevocation(config, token, { token_type_hint: 'refresh_token' })
  await refused(client.refreshTokenGrant(config, token), 'invalid_grant')
}

async function applications() {
  for (const config of [webWorker, signer]) {
    const id = config.clientMetadata().client_id
    const tokens = await client.clientCredentialsGrant(config, { scope: 'orders:read', resource })
    await check(metadata, `own token of ${id}`, tokens, { audience: resource, scope: 'orders:read', client: id, subject: id })
  }
}

async function devices() {
  const code = await client.initiateDeviceAuthorization(commandLine, { scope: 'orders:read', resource })
  const tokens = client.pollDeviceAuthorizationGrant(commandLine, code)
  await enter(code, 'yes')
  await check(metadata, 'device', await tokens, { audience: resource, scope: 'orders:read', client: device.id })
}

async function introspections() {
  const service = await discover(world.service.id, client.ClientSecretBasic(world.service.secret))
  const tokens = await logIn(publicPage)
  const told = await client.tokenIntrospection(service, tokens.access_token)
  assert.deepEqual([told.active, told.sub, told.client_id, told.aud], [true, 'alice', page.id, resource])
  await client.tokenRevocation(publicPage, tokens.access_token)
  assert.deepEqual(await client.tokenIntrospection(service, tokens.access_token), { active: false })
}

async function exchanges() {
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const caller = await logIn(publicPage)
  const parameters = {
    subject_token: caller.access_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: other,
    scope: 'orders:read',
  }
  const tokens = await client.genericGrantRequest(webWorker, grant, parameters)
  await check(metadata, 'exchange', tokens, { audience: other, scope: 'orders:read', client: worker.id })
}
