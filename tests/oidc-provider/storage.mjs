// What the provider remembers: sessions, grants, codes.
//
// A rotation replaces the provider, because it takes its keys only when it is made. The new one must know the logins
// and codes of the one before, so the storage is here and not in the provider.

const entries = new Map();
// Sessions are also looked up by their `uid`.
const sessions = new Map();

// The interface is oidc-provider's. The process lives for one test: nothing needs to expire here, and the provider
// itself looks at the `exp` of whatever it finds.
export class Storage {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    entries.set(this.#key(id), payload);
    if (this.model === 'Session') sessions.set(payload.uid, id);
  }

  async find(id) {
    return entries.get(this.#key(id));
  }

  async findByUid(uid) {
    return this.find(sessions.get(uid));
  }

  async consume(id) {
    entries.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of entries) {
      if (payload.grantId === grantId) entries.delete(key);
    }
  }
}
