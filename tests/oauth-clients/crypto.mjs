// Imported before the libraries: Node.js 18 has no `crypto` of its own.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto
