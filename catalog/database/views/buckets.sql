SELECT name AS bucket, owner, created AS creation_date, region, versioning, tags
FROM private.buckets
