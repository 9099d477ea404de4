-- The API tokens of an issuer on Portcullis, form 1. Run it in one transaction; existing objects stay unchanged.
-- The lock is that of the revocation log, which may be creating the same schema.
SELECT pg_advisory_xact_lock(hashtextextended('revocations of portcullis', 0));

CREATE SCHEMA IF NOT EXISTS "portcullis";

-- One row for each token. Times are milliseconds since 1970.
CREATE TABLE IF NOT EXISTS "portcullis".api_tokens (
    id text COLLATE "C" PRIMARY KEY,
    form smallint NOT NULL,
    version bigint NOT NULL, -- one more after each change
    digest bytea NOT NULL UNIQUE, -- no token can be made from it
    owner_kind text COLLATE "C" NOT NULL,
    owner_id text COLLATE "C" NOT NULL,
    path text[] COLLATE "C" NOT NULL, -- the tokens that it was derived from
    ends_at bigint,
    revoked_at bigint,
    used_at bigint, -- not in `token`, so that a use does not write all of it
    used_from text,
    token text NOT NULL, -- all of it but its last use
    UNIQUE (owner_kind, owner_id, id) -- only for its index
) WITH (fillfactor = 85);

-- The tokens that were derived from others, in the order in which they are listed.
CREATE TABLE IF NOT EXISTS "portcullis".api_token_ancestors (
    ancestor text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (ancestor, id)
);

-- CREATE INDEX IF NOT EXISTS would block writes even if the index exists.
DO $$ BEGIN
    IF to_regclass('"portcullis".api_tokens_ends_at') IS NULL THEN
        CREATE INDEX api_tokens_ends_at ON "portcullis".api_tokens (ends_at, id) WHERE ends_at IS NOT NULL;
    END IF;
    IF to_regclass('"portcullis".api_tokens_revoked_at') IS NULL THEN
        CREATE INDEX api_tokens_revoked_at ON "portcullis".api_tokens (revoked_at, id) WHERE revoked_at IS NOT NULL;
    END IF;
END $$;
