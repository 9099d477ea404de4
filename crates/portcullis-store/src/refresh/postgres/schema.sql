-- The sessions of an issuer on Portcullis, form 1. Run it in one transaction; existing objects stay unchanged.
-- The lock is that of the revocation log, which may be creating the same schema.
SELECT pg_advisory_xact_lock(hashtextextended('revocations of portcullis', 0));

CREATE SCHEMA IF NOT EXISTS "portcullis";

-- One row for each session. Times are milliseconds since 1970, on this server's clock.
CREATE TABLE IF NOT EXISTS "portcullis".refresh_families (
    id bytea PRIMARY KEY,
    form smallint NOT NULL,
    subject text NOT NULL,
    client_id text NOT NULL,
    share bytea NOT NULL, -- a digest: no refresh token can be made from it
    generation bigint NOT NULL,
    key_id smallint NOT NULL,
    rotated_at bigint,
    idle_until bigint NOT NULL,
    absolute_until bigint NOT NULL,
    ended text,
    family text NOT NULL, -- all of it, as it was opened
    ends_at bigint NOT NULL GENERATED ALWAYS AS (least(idle_until, absolute_until)) STORED,
    UNIQUE (subject, id), -- only for their indexes: CREATE INDEX would block writes even if the index exists
    UNIQUE (ends_at, id)
) WITH (fillfactor = 80);

-- The document of a key ring, with its version: one row. The private keys in it are sealed, unless the issuer was told not to.
CREATE TABLE IF NOT EXISTS "portcullis".signing_keys (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL,
    document text NOT NULL
);

-- What an authorization server keeps: one row for each code, client, consent and so on.
CREATE TABLE IF NOT EXISTS "portcullis".records (
    kind text COLLATE "C" NOT NULL,
    group_name text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    form smallint NOT NULL,
    version bigint NOT NULL, -- another random number after each change
    ends_at bigint,
    text bytea NOT NULL, -- in UTF-8; a column of type text has no NUL
    PRIMARY KEY (kind, group_name, id),
    UNIQUE (ends_at, version) -- only for its index
);
