// Imported before the libraries: Node.js 18 has neither of them in its global scope.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
