-- The objects that were added, removed or changed between two sequence numbers, and by which mutation they came to what
-- they are: one row a key, however often it was written. Changed is what was written anew, or got other tags.
(bucket_name, from_point, to_point) AS TABLE (
    WITH moved AS (
        SELECT
            c.key,
            arg_min(c.before, c.seq) AS before,
            arg_max(c.after, c.seq) AS after,
            max_by(c.last, c.seq) AS last
        FROM (
            SELECT
                j.key,
                j.seq,
                max(greatest(coalesce(j.ended, 0), coalesce(j.previous, 0))) AS before,
                coalesce(max(j.seq) FILTER (j.operation <> 'VersionRemoved'), max(j.previous), 0) AS after,
                any_value({
                    'seq': j.seq,
                    'record_timestamp': j.record_timestamp,
                    'requester': j.requester,
                    'source_ip_address': j.source_ip_address,
                    'request_id': j.request_id
                }) AS last
            FROM journal AS j
            WHERE j.bucket = bucket_name AND j.seq > from_point AND j.seq <= to_point
                AND j.operation IN ('ObjectPut', 'DeleteMarkerPut', 'VersionRemoved')
            GROUP BY j.key, j.seq
        ) AS c
        GROUP BY c.key
    ),
    altered AS (
        SELECT
            j.key,
            j.version_seq AS version,
            max_by({
                'seq': j.seq,
                'record_timestamp': j.record_timestamp,
                'requester': j.requester,
                'source_ip_address': j.source_ip_address,
                'request_id': j.request_id
            }, j.seq) AS last
        FROM journal AS j
        WHERE j.bucket = bucket_name AND j.seq > from_point AND j.seq <= to_point AND j.operation = 'VersionUpdated'
        GROUP BY j.key, j.version_seq
    ),
    -- A version that was altered is of interest where it was current all the time.
    hidden AS (
        SELECT version
        FROM (
            SELECT j.previous AS version, j.seq, j.operation <> 'VersionRemoved' AS hides
            FROM journal AS j
            SEMI JOIN altered AS a ON a.version = j.previous
            WHERE j.seq <= to_point
            UNION ALL
            SELECT j.ended, j.seq, true
            FROM journal AS j
            SEMI JOIN altered AS a ON a.version = j.ended
            WHERE j.seq <= to_point
        )
        GROUP BY version
        HAVING arg_max(hides, seq)
    ),
    touched AS (
        SELECT m.key, m.before, m.after, if(a.last.seq > m.last.seq, a.last, m.last) AS last
        FROM moved AS m
        LEFT JOIN altered AS a ON a.version = m.after
        UNION ALL
        SELECT a.key, a.version, a.version, a.last
        FROM altered AS a
        ANTI JOIN moved USING (key)
        ANTI JOIN hidden USING (version)
    ),
    version AS (
        SELECT j.seq, j.version_id, j.size, j.last_modified_date, j.e_tag, j.object_tags, j.user_metadata
        FROM journal AS j
        SEMI JOIN (SELECT before AS seq FROM touched UNION SELECT after FROM touched) AS wanted ON wanted.seq = j.seq
        WHERE j.operation = 'ObjectPut' AND j.seq <= to_point
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
    )
    SELECT
        CASE WHEN old.seq IS NULL THEN 'added' WHEN new.seq IS NULL THEN 'removed' ELSE 'changed' END AS change,
        bucket_name::VARCHAR AS bucket,
        t.key,
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
        t.last.record_timestamp AS record_timestamp,
        t.last.requester AS requester,
        t.last.source_ip_address AS source_ip_address,
        t.last.request_id AS request_id,
        t.last.seq AS seq
    FROM touched AS t
    LEFT JOIN version AS old ON old.seq = t.before
    LEFT JOIN version AS new ON new.seq = t.after
    LEFT JOIN alteration AS older ON older.version_seq = t.before
    LEFT JOIN alteration AS was ON was.version_seq = t.after
    WHERE (old.seq IS NOT NULL OR new.seq IS NOT NULL)
        AND (
            old.seq IS DISTINCT FROM new.seq
            OR coalesce(older.before.tags, old.object_tags)
                IS DISTINCT FROM if(was.version_seq IS NULL, new.object_tags, was.after.tags)
            OR coalesce(older.before.metadata, old.user_metadata)
                IS DISTINCT FROM if(was.version_seq IS NULL, new.user_metadata, was.after.metadata)
        )
)
