-- The lifecycle rules of the buckets, numbered in their order; what a rule does not say is NULL. An object is meant by one whose
-- prefix it has, whose tags it has all, and whose sizes it lies between.
WITH given AS (
    SELECT
        b.name AS bucket,
        from_json(
            b.lifecycle -> 'rules',
            '[{
                "id": "VARCHAR",
                "status": "VARCHAR",
                "prefix": "VARCHAR",
                "filter": {
                    "prefix": "VARCHAR",
                    "tag": {"key": "VARCHAR", "value": "VARCHAR"},
                    "object_size_greater_than": "BIGINT",
                    "object_size_less_than": "BIGINT",
                    "and": {
                        "prefix": "VARCHAR",
                        "tags": [{"key": "VARCHAR", "value": "VARCHAR"}],
                        "object_size_greater_than": "BIGINT",
                        "object_size_less_than": "BIGINT"
                    }
                },
                "expiration": {"days": "BIGINT", "date": "BIGINT", "expired_object_delete_marker": "BOOLEAN"},
                "noncurrent_version_expiration": {"noncurrent_days": "BIGINT", "newer_noncurrent_versions": "BIGINT"},
                "abort_incomplete_multipart_upload": {"days_after_initiation": "BIGINT"}
            }]'
        ) AS rules
    FROM private.buckets AS b
    WHERE b.lifecycle IS NOT NULL AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
),
numbered AS (
    SELECT bucket, unnest(range(1, len(rules) + 1)) AS rule_number, unnest(rules) AS rule
    FROM given
)
SELECT
    bucket,
    rule_number,
    rule.id AS rule_id,
    rule.status,
    coalesce(rule.prefix, rule.filter.prefix, rule.filter."and".prefix, '') AS prefix,
    map_from_entries(
        list_transform(
            CASE WHEN rule.filter.tag IS NOT NULL THEN [rule.filter.tag] ELSE coalesce(rule.filter."and".tags, []) END,
            lambda tag: {'k': tag.key, 'v': tag.value}
        )
    ) AS object_tags,
    coalesce(rule.filter.object_size_greater_than, rule.filter."and".object_size_greater_than) AS object_size_greater_than,
    coalesce(rule.filter.object_size_less_than, rule.filter."and".object_size_less_than) AS object_size_less_than,
    rule.expiration.days AS expiration_days,
    make_timestamp(rule.expiration.date * 1000) AS expiration_date,
    rule.expiration.expired_object_delete_marker,
    rule.noncurrent_version_expiration.noncurrent_days,
    rule.noncurrent_version_expiration.newer_noncurrent_versions,
    rule.abort_incomplete_multipart_upload.days_after_initiation
FROM numbered
