-- What delta_seq is made of, in pages: of the keys that were written to, so many in order (NULL: all) behind a key (NULL:
-- from the first on). Change is NULL where a key is what it was.
(bucket_name, from_point, to_point, behind, most) AS TABLE (
    WITH moved AS (
        SELECT c.key, arg_min(c.before, c.seq) AS before, arg_max(c.after, c.seq) AS after, max(c.seq) AS last
        FROM (
            SELECT
                j.key,
                j.seq,
                max(greatest(coalesce(j.ended, 0), coalesce(j.previous, 0))) AS before,
                coalesce(max(j.seq) FILTER (j.operation <> 'VersionRemoved'), max(j.previous), 0) AS after
            FROM journal AS j
            WHERE j.bucket = bucket_name AND j.seq > from_point AND j.seq <= to_point
                AND j.operation IN ('ObjectPut', 'DeleteMarkerPut', 'VersionRemoved')
            GROUP BY j.key, j.seq
        ) AS c
        GROUP BY c.key
    ),
    altered AS (
        SELECT j.key, j.version_seq AS version, max(j.seq) AS last
        FROM journal AS j
        WHERE j.bucket = bucket_name AND j.seq > from_point AND j.seq <= to_point AND j.operation = 'VersionUpdated'
        GROUP BY j.key, j.version_seq
    ),
    -- Of the versions of a key that were altered only the newest can have been current all the time.
    touched AS (
        SELECT m.key, m.before, m.after, greatest(m.last, coalesce(a.last, 0)) AS last
        FROM moved AS m
        LEFT JOIN altered AS a ON a.version = m.after
        UNION ALL
        SELECT a.key, max(a.version), max(a.version), arg_max(a.last, a.version)
        FROM altered AS a
        ANTI JOIN moved USING (key)
        GROUP BY a.key
    ),
    page AS MATERIALIZED (
        FROM touched AS t WHERE behind::VARCHAR IS NULL OR t.key > behind ORDER BY t.key LIMIT most
    ),
    hidden AS (
        SELECT version
        FROM (
            SELECT j.previous AS version, j.seq, j.operation <> 'VersionRemoved' AS hides
            FROM journal AS j
            SEMI JOIN (SELECT before FROM page WHERE before = after) AS p ON p.before = j.previous
            WHERE j.seq <= to_point
            UNION ALL
            SELECT j.ended, j.seq, true
            FROM journal AS j
            SEMI JOIN (SELECT before FROM page WHERE before = after) AS p ON p.before = j.ended
            WHERE j.seq <= to_point
        )
        GROUP BY version
        HAVING arg_max(hides, seq)
    ),
    -- What was there before lies anywhere, what came since lies together.
    version AS (
        SELECT j.seq, j.version_id, j.size, j.last_modified_date, j.e_tag, j.object_tags, j.user_metadata
        FROM journal AS j
        SEMI JOIN (SELECT before AS seq FROM page UNION SELECT after FROM page) AS wanted ON wanted.seq = j.seq
        WHERE j.operation = 'ObjectPut' AND j.seq <= from_point
        UNION ALL
        SELECT j.seq, j.version_id, j.size, j.last_modified_date, j.e_tag, j.object_tags, j.user_metadata
        FROM journal AS j
        SEMI JOIN page AS p ON p.after = j.seq
        WHERE j.operation = 'ObjectPut' AND j.seq > from_point AND j.seq <= to_point
    ),
    alteration AS (
        SELECT
            j.version_seq,
            max_by({'tags': j.object_tags, 'metadata': j.user_metadata}, j.seq) FILTER (j.seq <= from_point) AS before,
            max_by({'tags': j.object_tags, 'metadata': j.user_metadata}, j.seq) AS after
        FROM journal AS j
        SEMI JOIN version AS v ON v.seq = j.version_seq
        WHERE j.operation = 'VersionUpdated' AND j.seq <= to_point
        GROUP BY j.version_seq
    ),
    who AS (
        SELECT j.seq, j.key, j.record_timestamp, j.requester, j.source_ip_address, j.request_id
        FROM journal AS j
        SEMI JOIN page AS p ON p.last = j.seq
        WHERE j.bucket = bucket_name AND j.seq > from_point AND j.seq <= to_point
    )
    SELECT
        CASE
            WHEN hidden.version IS NOT NULL OR old.seq IS NULL AND new.seq IS NULL THEN NULL
            WHEN old.seq IS NULL THEN 'added'
            WHEN new.seq IS NULL THEN 'removed'
            WHEN old.seq <> new.seq
                OR coalesce(older.before.tags, old.object_tags)
                    IS DISTINCT FROM if(was.version_seq IS NULL, new.object_tags, was.after.tags)
                OR coalesce(older.before.metadata, old.user_metadata)
                    IS DISTINCT FROM if(was.version_seq IS NULL, new.user_metadata, was.after.metadata)
                THEN 'changed'
        END AS change,
        bucket_name::VARCHAR AS bucket,
        p.key,
        new.version_id,
        new.size,
        new.last_modified_date,
        new.e_tag,
        if(was.version_seq IS NULL, new.object_tags, was.after.tags) AS object_tags,
        if(was.version_seq IS NULL, new.user_metadata, was.after.metadata) AS user_metadata,
        old.version_id AS version_id_before,
        old.size AS size_before,
        old.last_modified_date AS last_modified_date_before,
        old.e_tag AS e_tag_before,
        coalesce(new.size, 0) - coalesce(old.size, 0) AS bytes,
        w.record_timestamp AS record_timestamp,
        w.requester AS requester,
        w.source_ip_address AS source_ip_address,
        w.request_id AS request_id,
        p.last AS seq
    FROM page AS p
    LEFT JOIN hidden ON hidden.version = p.before AND p.before = p.after
    LEFT JOIN version AS old ON old.seq = p.before
    LEFT JOIN version AS new ON new.seq = p.after
    LEFT JOIN alteration AS older ON older.version_seq = p.before
    LEFT JOIN alteration AS was ON was.version_seq = p.after
    LEFT JOIN (SELECT DISTINCT ON (seq) * FROM who) AS w ON w.seq = p.last
)
