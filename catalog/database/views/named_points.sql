-- Names for points in a bucket's history: ducket version set.
SELECT b.name AS bucket, p.name, p.seq, p.created AS creation_date
FROM private.points AS p
JOIN private.buckets AS b ON b.id = p.bucket_id
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
