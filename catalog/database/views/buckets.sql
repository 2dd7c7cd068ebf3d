-- The buckets.
SELECT b.name AS bucket, b.owner, b.created AS creation_date, b.region, b.versioning, b.tags
FROM private.buckets AS b
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
