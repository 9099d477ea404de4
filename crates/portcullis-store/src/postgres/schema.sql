-- The revocation log of Portcullis, form 1. To be run in one transaction; what is there already stays as it is.
SELECT pg_advisory_xact_lock(hashtextextended('revocations of portcullis', 0));

CREATE SCHEMA IF NOT EXISTS "portcullis";

-- What is revoked. Written by the function below, and by nobody else.
CREATE TABLE IF NOT EXISTS "portcullis".revocations (
    position bigint PRIMARY KEY,
    entry text NOT NULL,
    until timestamptz NOT NULL,
    mark bigint NOT NULL, -- drawn for each call, so that a reader sees whether its last entry is still the same one
    UNIQUE (until, position) -- for its index alone: to say CREATE INDEX would lock out who appends, even if it is there
);

-- Which log it is, and how far it has come: one row, which every append changes in place.
CREATE TABLE IF NOT EXISTS "portcullis".revocation_log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    form integer NOT NULL,
    incarnation uuid NOT NULL,
    position bigint NOT NULL,
    mark bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO "portcullis".revocation_log (form, incarnation, position, mark)
SELECT
    1,
    gen_random_uuid(),
    coalesce((SELECT max(position) FROM "portcullis".revocations), 0),
    coalesce((SELECT mark FROM "portcullis".revocations ORDER BY position DESC LIMIT 1), 0)
WHERE NOT EXISTS (SELECT FROM "portcullis".revocation_log)
ON CONFLICT DO NOTHING;

-- Appends all of the entries, and gives the position of the last one. Runs with the rights of its owner.
CREATE OR REPLACE FUNCTION "portcullis".append_revocations(entries text[], untils bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    added bigint := cardinality(entries);
    drawn bigint := floor(random() * 9007199254740992);
    reached bigint;
BEGIN
    IF added IS DISTINCT FROM cardinality(untils) THEN
        RAISE EXCEPTION 'as many instants as entries are wanted';
    END IF;
    -- Whatever the server, the database or the user have it at: when this commits, it is on disk.
    PERFORM set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
    -- The row is ours until the commit is over: so positions have no gaps, and become visible in their order.
    UPDATE "portcullis".revocation_log SET position = position + added, mark = drawn RETURNING position INTO reached;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the row of "portcullis".revocation_log is gone' USING ERRCODE = 'no_data_found';
    END IF;
    -- Some of what was over 20 minutes ago, and more than comes in. The newest stay: readers stand behind them.
    -- (By an array, so that no plan reads the whole table, however little the planner knows of it.)
    DELETE FROM "portcullis".revocations WHERE position = ANY (ARRAY(
        SELECT old.position FROM "portcullis".revocations AS old
        WHERE old.until < now() - interval '20 minutes' AND old.position < reached - added - 1000
        ORDER BY old.until LIMIT 200 + 2 * added
    ));
    INSERT INTO "portcullis".revocations (position, entry, until, mark)
    SELECT reached - added + new.n, new.entry, to_timestamp(new.until), drawn
    FROM unnest(entries, untils) WITH ORDINALITY AS new (entry, until, n);
    -- Readers ask all the same: so rather no call than one that fails, because somebody else does not collect theirs.
    PERFORM pg_notify('revocations of portcullis', '') WHERE pg_notification_queue_usage() < 0.5;
    RETURN reached;
END
$body$;
REVOKE ALL ON FUNCTION "portcullis".append_revocations(text[], bigint[]) FROM PUBLIC;
