-- The revocation log of Portcullis, form 1. Run it in one transaction; existing objects stay unchanged.
SELECT pg_advisory_xact_lock(hashtextextended('revocations of portcullis', 0));

CREATE SCHEMA IF NOT EXISTS "portcullis";

-- The revocations. Only the function below writes them.
CREATE TABLE IF NOT EXISTS "portcullis".revocations (
    position bigint PRIMARY KEY,
    entry text NOT NULL,
    until timestamptz NOT NULL,
    mark bigint NOT NULL, -- random, for each call: tells a reader whether its last entry is still the same one
    UNIQUE (until, position) -- only for its index: CREATE INDEX would block appends even if the index exists
);

-- The log's identity and its length: one row, which every append changes in place.
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

-- Appends all entries, and returns the position of the last one. Runs with the rights of its owner.
CREATE OR REPLACE FUNCTION "portcullis".append_revocations(entries text[], untils bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    added bigint := cardinality(entries);
    drawn bigint := floor(random() * 9007199254740992);
    reached bigint;
BEGIN
    IF added IS DISTINCT FROM cardinality(untils) THEN
        RAISE EXCEPTION 'the numbers of entries and instants differ';
    END IF;
    -- Whatever the setting of the server, the database or the user is: once this commits, it is on disk.
    PERFORM set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
    -- The row is locked until the commit is done, so positions have no gaps and become visible in order.
    UPDATE "portcullis".revocation_log SET position = position + added, mark = drawn RETURNING position INTO reached;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the row of "portcullis".revocation_log is gone' USING ERRCODE = 'no_data_found';
    END IF;
    -- Delete some entries that expired 20 minutes ago, more than are added. The newest stay: readers continue after them.
    -- (With an array no plan reads the whole table, even without statistics.)
    DELETE FROM "portcullis".revocations WHERE position = ANY (ARRAY(
        SELECT old.position FROM "portcullis".revocations AS old
        WHERE old.until < now() - interval '20 minutes' AND old.position < reached - added - 1000
        ORDER BY old.until LIMIT 200 + 2 * added
    ));
    INSERT INTO "portcullis".revocations (position, entry, until, mark)
    SELECT reached - added + new.n, new.entry, to_timestamp(new.until), drawn
    FROM unnest(entries, untils) WITH ORDINALITY AS new (entry, until, n);
    -- Readers also poll. If other programs do not collect their notifications, the queue fills up, and NOTIFY would fail:
    -- skip it in time.
    PERFORM pg_notify('revocations of portcullis', '') WHERE pg_notification_queue_usage() < 0.5;
    RETURN reached;
END
$body$;
REVOKE ALL ON FUNCTION "portcullis".append_revocations(text[], bigint[]) FROM PUBLIC;
