-- The used proofs of Portcullis, form 1. Run it in one transaction; existing objects stay unchanged.
-- The lock is that of the revocation log, which may be creating the same schema.
SELECT pg_advisory_xact_lock(hashtextextended('revocations of portcullis', 0));

CREATE SCHEMA IF NOT EXISTS "portcullis";

-- One row for each proof that was used, for as long as it could be used again.
CREATE TABLE IF NOT EXISTS "portcullis".used_proofs (
    id bytea PRIMARY KEY, -- half of a SHA-256 digest: no name of a user
    ends_at bigint NOT NULL, -- in milliseconds since 1970, on this server's clock
    UNIQUE (ends_at, id) -- only for its index: CREATE INDEX would block writes even if the index exists
);
