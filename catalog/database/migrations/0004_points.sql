-- Names that people gave to points in a bucket's history: the state behind the mutation `seq`.
CREATE TABLE private.points (
    bucket_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    created TIMESTAMP NOT NULL
);
