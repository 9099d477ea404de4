// The provider's signing keys, generation after generation.

import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);
let generation = 0;

// One private JWK for each algorithm.
export async function newKeys() {
  generation += 1;
  const pairs = {
    RS256: await generate('rsa', { modulusLength: 2048 }),
    ES256: await generate('ec', { namedCurve: 'P-256' }),
  };
  return Object.entries(pairs).map(([alg, { privateKey }]) => ({
    ...privateKey.export({ format: 'jwk' }),
    kid: `${alg.toLowerCase()}-${generation}`,
    use: 'sig',
    alg,
  }));
}
