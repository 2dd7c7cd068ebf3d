-- Which events of the buckets are told to whom, numbered in their order. A rule means the keys that begin with its prefix and
-- end with its suffix, and what happened behind the sequence number since.
WITH given AS (
    SELECT
        b.name AS bucket,
        from_json(
            b.notification -> 'rules',
            '[{
                "id": "VARCHAR",
                "arn": "VARCHAR",
                "events": ["VARCHAR"],
                "filters": [{"name": "VARCHAR", "value": "VARCHAR"}],
                "since": "BIGINT"
            }]'
        ) AS rules
    FROM private.buckets AS b
    WHERE b.notification IS NOT NULL AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
),
numbered AS (
    SELECT bucket, unnest(range(1, len(rules) + 1)) AS rule_number, unnest(rules) AS rule
    FROM given
)
SELECT
    bucket,
    rule_number,
    rule.id AS rule_id,
    rule.arn,
    rule.events,
    coalesce(list_filter(rule.filters, lambda f: f.name = 'Prefix')[1].value, '') AS prefix,
    coalesce(list_filter(rule.filters, lambda f: f.name = 'Suffix')[1].value, '') AS suffix,
    coalesce(rule.since, 0) AS since
FROM numbered
