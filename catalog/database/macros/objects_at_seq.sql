-- The objects that were current behind the mutation of a sequence number, as they were then.
(bucket_name, point) AS TABLE (
    WITH change AS (
        SELECT j.seq, j.operation, j.ended, j.previous
        FROM journal AS j
        WHERE j.bucket = bucket_name AND j.seq <= point
    ),
    -- A version is current from its put, or from the removal of what hid it, until a put hides it or it ends.
    hidden AS (
        SELECT version
        FROM (
            SELECT c.previous AS version, c.seq, c.operation <> 'VersionRemoved' AS hides
            FROM change AS c
            WHERE c.previous IS NOT NULL
            UNION ALL
            SELECT c.ended, c.seq, true FROM change AS c WHERE c.ended IS NOT NULL
        )
        GROUP BY version
        HAVING arg_max(hides, seq)
    ),
    altered AS (
        SELECT j.version_seq, max_by({'tags': j.object_tags, 'metadata': j.user_metadata}, j.seq) AS latest
        FROM journal AS j
        WHERE j.bucket = bucket_name AND j.seq <= point AND j.operation = 'VersionUpdated'
        GROUP BY j.version_seq
    )
    SELECT
        j.bucket,
        j.key,
        j.sequence_number,
        j.seq,
        j.version_id,
        j.size,
        j.last_modified_date,
        j.e_tag,
        j.storage_class,
        j.is_multipart,
        j.encryption_status,
        j.is_bucket_key_enabled,
        j.kms_key_arn,
        j.checksum_algorithm,
        if(a.version_seq IS NULL, j.object_tags, a.latest.tags) AS object_tags,
        if(a.version_seq IS NULL, j.user_metadata, a.latest.metadata) AS user_metadata,
        j.requester
    FROM journal AS j
    ANTI JOIN hidden AS h ON h.version = j.seq
    LEFT JOIN altered AS a ON a.version_seq = j.seq
    WHERE j.bucket = bucket_name AND j.seq <= point AND j.operation = 'ObjectPut'
)
