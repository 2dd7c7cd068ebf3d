-- The newest other version of the key that remained after the mutation, NULL if none: with `ended`, and the mutations in
-- order, it tells which version was current at any point without a look at the keys.
ALTER TABLE private.journal ADD COLUMN previous BIGINT;
UPDATE private.journal SET previous = found.previous
FROM (
    SELECT after.seq, max(version.seq) AS previous
    FROM private.journal AS after
    JOIN private.journal AS version
        ON version.bucket_id = after.bucket_id AND version.key = after.key
        AND version.operation IN ('ObjectPut', 'DeleteMarkerPut') AND version.seq < after.seq
    LEFT JOIN private.journal AS ending ON ending.ended = version.seq AND ending.seq <= after.seq
    WHERE after.operation IN ('ObjectPut', 'DeleteMarkerPut', 'VersionRemoved') AND ending.seq IS NULL
    GROUP BY after.seq
) AS found
WHERE journal.seq = found.seq AND journal.operation IN ('ObjectPut', 'DeleteMarkerPut', 'VersionRemoved');

-- What lies under each prefix. Rows with NOT below count what lies in the folder `prefix` itself (of keys with more
-- levels than are kept: and deeper); rows with `below` what lies in deeper folders alone. `depth` is the levels of `prefix`.
-- The numbers of a prefix are the sum of its rows in `usage_settled` and `usage_recent`.
CREATE TABLE private.usage_settled (
    bucket_id BIGINT NOT NULL,
    depth INTEGER NOT NULL,
    prefix VARCHAR NOT NULL,
    below BOOLEAN NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    noncurrent_versions BIGINT NOT NULL,
    noncurrent_bytes BIGINT NOT NULL,
    delete_markers BIGINT NOT NULL
);
-- What each batch changed, not yet taken over into the other two.
CREATE TABLE private.usage_recent (
    day DATE NOT NULL,
    bucket_id BIGINT NOT NULL,
    depth INTEGER NOT NULL,
    prefix VARCHAR NOT NULL,
    below BOOLEAN NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    noncurrent_versions BIGINT NOT NULL,
    noncurrent_bytes BIGINT NOT NULL,
    delete_markers BIGINT NOT NULL
);
-- What each day changed, one row a prefix and day.
CREATE TABLE private.usage_changes AS FROM private.usage_recent;

-- What there was before usage was kept counts as of today.
INSERT INTO private.usage_recent
WITH folder AS (
    SELECT
        bucket_id,
        regexp_extract(key, '^(?:[^/]*/){0,4}') AS name,
        count(*) FILTER (is_latest AND NOT is_delete_marker) AS objects,
        coalesce(sum(size) FILTER (is_latest AND NOT is_delete_marker), 0) AS bytes,
        count(*) FILTER (NOT is_latest AND NOT is_delete_marker) AS noncurrent_versions,
        coalesce(sum(size) FILTER (NOT is_latest AND NOT is_delete_marker), 0) AS noncurrent_bytes,
        count(*) FILTER (is_delete_marker) AS delete_markers
    FROM private.objects
    GROUP BY ALL
)
SELECT
    current_date,
    bucket_id,
    depth,
    prefix,
    depth < levels AS below,
    sum(objects),
    sum(bytes),
    sum(noncurrent_versions),
    sum(noncurrent_bytes),
    sum(delete_markers)
FROM (
    SELECT
        *,
        length(name) - length(replace(name, '/', '')) AS levels,
        unnest([0, 1, 2, 3, 4]) AS depth,
        unnest([
            '',
            regexp_extract(name, '^(?:[^/]*/){0,1}'),
            regexp_extract(name, '^(?:[^/]*/){0,2}'),
            regexp_extract(name, '^(?:[^/]*/){0,3}'),
            name
        ]) AS prefix
    FROM folder
)
WHERE depth <= levels
GROUP BY bucket_id, depth, prefix, below;
