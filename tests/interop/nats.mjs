// Mints and reads tokens of NATS with the official library. Reads one question a line from standard input, a JSON object, and writes one answer a
// line: `{"mint": {...}}` is answered with tokens and keys, `{"decode": token}` with its claims.

import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

globalThis.crypto ??= webcrypto // Node.js 18 has none
const { default: jwt } = await import('@nats-io/jwt')

const text = (seed) => new TextDecoder().decode(seed)

async function mint({ now }) {
  const [operator, operatorSigning] = [jwt.createOperator(), jwt.createOperator()]
  const [account, signing, scoped, importer] = [1, 2, 3, 4].map(() => jwt.createAccount())
  const [user, signed, scopedUser, bearer] = [1, 2, 3, 4].map(() => jwt.createUser())
  const id = (key) => key.getPublicKey()
  // Without limits nothing is allowed (rule A2 of the project's notes about NATS).
  const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
  const template = { pub: { allow: ['own.{{name()}}.>'], deny: [] }, sub: { allow: ['own.{{name()}}.>'], deny: [] } }
  const activation = await jwt.encodeActivation('orders', importer, account, 'service', { subject: 'orders.>' })
  const imported = { name: 'orders', subject: 'orders.eu', account: id(account), type: 'service', token: activation }
  return {
    operator: await jwt.encodeOperator('op', operator, { signing_keys: [id(operatorSigning)] }),
    account: await jwt.encodeAccount(
      'acct',
      account,
      {
        limits,
        exports: [{ name: 'orders', subject: 'orders.>', type: 'service', token_req: true }],
        signing_keys: [id(signing), jwt.newScopedSigner(scoped, 'own', template)],
        revocations: { [id(bearer)]: now + 3600 },
      },
      { signer: operatorSigning },
    ),
    // What the library makes of an account if it is told nothing: one that lets no one in.
    bare: await jwt.encodeAccount('bare', importer, {}, { signer: operator }),
    importer: await jwt.encodeAccount('importer', importer, { limits, imports: [imported] }, { signer: operator }),
    activation,
    user: await jwt.encodeUser('alice', user, account, { pub: { allow: ['a.*'], deny: ['a.x'] } }, { exp: now + 3600 }),
    signed: await jwt.encodeUser('bob', signed, signing, { issuer_account: id(account), sub: { allow: ['b.>'], deny: [] } }),
    scoped: await jwt.encodeUser('carol', scopedUser, scoped, { issuer_account: id(account) }, { scopedUser: true }),
    revoked: await jwt.encodeUser('dave', bearer, account, { bearer_token: true }),
    imported: await jwt.encodeUser('erin', user, importer, { pub: { allow: ['orders.>'], deny: [] } }),
    old: await jwt.encodeUser('frank', user, account, {}, { algorithm: jwt.Algorithms.v1 }),
    creds: new TextDecoder().decode(jwt.fmtCreds(await jwt.encodeUser('grace', user, account), user)),
    seeds: { operator: text(operator.getSeed()), account: text(account.getSeed()), user: text(user.getSeed()) },
    keys: { operator: id(operator), account: id(account), importer: id(importer), user: id(user) },
  }
}

async function answer({ mint: wanted, decode, creds }) {
  if (wanted) return { minted: await mint(wanted) }
  if (creds) return { creds: await jwt.parseCreds(new TextEncoder().encode(creds)) }
  return { claims: jwt.decode(decode) }
}

for await (const line of createInterface({ input: process.stdin })) {
  let outcome
  try {
    outcome = await answer(JSON.parse(line))
  } catch (error) {
    outcome = { refused: `${error.name}: ${error.message}` }
  }
  console.log(JSON.stringify(outcome))
}
