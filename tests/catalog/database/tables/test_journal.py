from __future__ import annotations

import duckdb

from catalog.database.applier import apply
from tests.catalog.database.history import START, History


def test_an_overwrite_is_one_create_that_says_what_it_ended(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    first = history.put(bucket, "k", 1)
    history.put(bucket, "k", 2)
    found = written(database, history, "record_type, size, ended", "key = 'k'")
    assert found == [("CREATE", 1, None), ("CREATE", 2, first.seq)]


def test_a_delete_marker_is_a_delete_that_says_so(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b", "Enabled").id
    history.put(bucket, "k")
    history.delete(bucket, "k")
    columns = "record_type, is_delete_marker, version_id, size, e_tag, object_tags"
    assert written(database, history, columns, "seq = 3") == [("DELETE", True, f"{3:032x}", None, None, None)]


def test_a_permanent_delete_has_nothing_but_what_aws_requires(database: duckdb.DuckDBPyConnection) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-schema.html"""
    history = History()
    bucket = history.create_bucket("b", "Enabled").id
    put = history.put(bucket, "k")
    history.remove_version(bucket, "k", put.seq)
    columns = "bucket, key, record_type, version_id, is_delete_marker, size, last_modified_date, e_tag, is_multipart"
    found = written(database, history, columns, "seq = 3")
    assert found == [("b", "k", "DELETE", put.version_id, None, None, None, None, None)]


def test_new_tags_are_an_update_of_metadata(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    put = history.put(bucket, "k", 7)
    history.tag(bucket, "k", put.seq, {"a": "b"})
    columns = "record_type, is_delete_marker, size, object_tags, epoch_ms(last_modified_date)"
    found = written(database, history, columns, "seq = 3")
    assert found == [("UPDATE_METADATA", False, 7, {"a": "b"}, START + 1000)]


def test_a_completed_upload_is_a_multipart_object(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    upload = history.create_upload(bucket, "k")
    history.put_part(upload.upload_id, 1, 5)
    history.put(bucket, "k", 5, upload.upload_id)
    found = written(
        database, history, "operation, record_type, is_multipart, part_number, size", "upload_id IS NOT NULL"
    )
    assert found == [
        ("UploadCreated", None, None, None, None),
        ("PartPut", None, None, 1, 5),
        ("ObjectPut", "CREATE", True, None, 5),
    ]


def test_what_is_done_to_buckets_and_users_is_kept_as_well(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    user = history.create_user("wanda")
    history.delete_user(user.access_key)
    history.delete_bucket(bucket)
    assert written(database, history, "operation, record_type, bucket, user_id", "true") == [
        ("BucketPut", None, "b", None),
        ("UserPut", None, None, user.id),
        ("UserRemoved", None, None, user.id),
        ("BucketRemoved", None, "b", None),
    ]


def test_who_did_it_and_when_stands_in_every_row(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    history.put(bucket, "k")
    columns = "requester, source_ip_address, request_id, epoch_ms(record_timestamp)"
    assert written(database, history, columns, "true") == [
        ("a" * 64, "192.0.2.1", "4442587FB7D0A2F9", START),
        ("a" * 64, "192.0.2.1", "4442587FB7D0A2F9", START + 1000),
    ]


def written(
    database: duckdb.DuckDBPyConnection, history: History, columns: str, where: str
) -> list[tuple[object, ...]]:
    apply(database, history.records, history.position())
    return database.execute(f"SELECT {columns} FROM private.journal WHERE {where} ORDER BY seq").fetchall()
