-- One step: $1 family, $2 share, $3 client, $4 generation, $5 grace, $6 idle, $7 whether tokens are replaced, $8 key,
-- $9 most lost writes, $10 least prolongation; times in milliseconds. Writes only if a token is replaced or the session
-- prolonged. Returns the row as it was, and the instant of the decision.
WITH locked AS MATERIALIZED (
    SELECT * FROM "portcullis".refresh_families WHERE id = $1 FOR UPDATE
), before AS MATERIALIZED (
    -- After the lock, and not now(), which is before it: the rotation of another caller must not be in the future.
    SELECT *, (extract(epoch FROM clock_timestamp()) * 1000)::int8 AS now FROM locked
), step AS MATERIALIZED (
    SELECT *, least(now + $6, absolute_until) AS prolonged, CASE
        WHEN form <> 1 OR share <> $2 OR client_id <> $3 OR ended IS NOT NULL OR now >= ends_at THEN 'nothing'
        WHEN $4 < generation OR $4 - generation > $9 THEN 'nothing'
        WHEN $4 = generation AND rotated_at IS NOT NULL AND greatest(now - rotated_at, 0) < $5 THEN 'nothing'
        WHEN $4 > generation OR $7 THEN 'rotate'
        WHEN least(now + $6, absolute_until) - idle_until >= $10 THEN 'prolong'
        ELSE 'nothing'
    END AS action FROM before
), written AS (
    UPDATE "portcullis".refresh_families AS family SET
        generation = CASE step.action WHEN 'rotate' THEN $4 + 1 ELSE family.generation END,
        key_id = CASE step.action WHEN 'rotate' THEN $8 ELSE family.key_id END,
        rotated_at = CASE step.action WHEN 'rotate' THEN step.now ELSE family.rotated_at END,
        idle_until = step.prolonged
    FROM step WHERE family.id = step.id AND step.action <> 'nothing' RETURNING family.id
)
SELECT now, form, generation, key_id, rotated_at, idle_until, absolute_until, ended, family,
       EXISTS (SELECT FROM written) AS is_written
FROM step
