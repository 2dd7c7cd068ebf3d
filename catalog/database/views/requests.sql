-- The requests that were served in the last days, about a second after their answers, with the fields of S3's server
-- access logs and some of Ducket's. Durations are in milliseconds, operations as the API names them.
SELECT
    r.day,
    r.time,
    r.bucket,
    r.key,
    r.version_id,
    r.operation,
    r.requester,
    r.remote_ip,
    r.request_id,
    r.http_status,
    r.error_code,
    r.bytes_sent,
    r.bytes_received,
    r.total_time,
    r.turn_around_time,
    r.referer,
    r.user_agent
FROM query(getvariable('requests')) AS r
WHERE getvariable('sees_all')
    OR r.bucket_id IN (SELECT b.id FROM private.buckets AS b WHERE b.owner = getvariable('sees'))
