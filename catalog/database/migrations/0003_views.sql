-- Views of the operator's own. `statement` is the query behind the name; `refreshed` is when its rows were last stored,
-- NULL where the query runs each time.
CREATE TABLE private.views (
    name VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    statement VARCHAR NOT NULL,
    refreshed TIMESTAMP
);
CREATE SCHEMA materialised;
