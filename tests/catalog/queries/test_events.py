from __future__ import annotations

from pathlib import Path

import msgspec

from catalog import Catalog
from catalog.database.client import fetch, reach
from catalog.database.frames import Sql
from catalog.events import Event, event_of
from catalog.lifecycle import REQUESTER
from catalog.notifications import SETTING, Configuration, FilterRule, Rule
from catalog.queries import list_events
from catalog.records import Bucket, Origin, Upload, Version

DRAFT = Version(0, "", 0, "e" * 32, 5, "STANDARD", "root")


def by(operation: str = "", requester: str = "user") -> Origin:
    return Origin(requester, "192.0.2.1", "REQUEST", operation)


async def story(catalog: Catalog, bucket: Bucket) -> None:
    """Every mutation there is of an object, in a bucket."""
    for operation in ("", "CopyObject", "PostObject"):
        await catalog.put(by(operation), bucket, "key", DRAFT, b"hello")
    upload = await catalog.create_upload(by(), bucket, Upload("", bucket.id, "key", 0, "root"))
    await catalog.put(by(), bucket, "key", DRAFT, b"hello", upload_id=upload.upload_id)
    for operation in ("PutObjectTagging", "DeleteObjectTagging", "PutObjectAcl", "PutObjectRetention", ""):
        await catalog.update_version(by(operation), bucket, "key", None, lambda found: found)
    await catalog.delete(by(), bucket, "key")
    await catalog.put(by(requester=""), bucket, "other", DRAFT, b"hello")
    gone = await catalog.delete(by(requester=REQUESTER), bucket, "other")
    if gone.version_id is not None:
        await catalog.delete(by(requester=REQUESTER), bucket, "other", gone.version_id)


async def told(path: Path) -> list[tuple[str, Event]]:
    """By the log."""
    catalog = Catalog.open(path)
    names = {}
    for name, state in (("plain", ""), ("versioned", "Enabled"), ("suspended", "Suspended")):
        draft = await catalog.create_bucket(by(), name, "root", "us-east-1")
        bucket = msgspec.structs.replace(draft, versioning=state)
        await catalog.update_bucket(by(), name, lambda held, bucket=bucket: bucket)  # type: ignore[misc]
        names[bucket.id] = name
        await story(catalog, bucket)
    changes = catalog.tail().changes()
    changes.seek(0)
    found = []
    for seq, record in changes.read(1000):
        event = event_of(seq, record, record.mutation)
        if event is not None:
            found.append((names[record.mutation.bucket_id], event))  # type: ignore[union-attr]
    await catalog.close()
    return found


async def test_the_journal_tells_what_the_log_told(tmp_path: Path) -> None:
    expected = await told(tmp_path / "data")
    assert len({event.name for _, event in expected}) == 12
    with reach(tmp_path / "data") as catalog:
        assert list_events(catalog, 0, 1000) == expected


async def test_a_page_goes_from_one_mutation_to_another(tmp_path: Path) -> None:
    expected = await told(tmp_path / "data")
    seqs = [event.seq for _, event in expected]
    with reach(tmp_path / "data") as catalog:
        assert list_events(catalog, seqs[3], seqs[9]) == expected[4:10]
        assert list_events(catalog, seqs[3], seqs[9], 2) == expected[4:6]
        assert list_events(catalog, seqs[-1], 1000) == []


async def test_the_rules_in_sql(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / "data")
    arn, created = "arn:minio:sqs::hook:webhook", ("s3:ObjectCreated:*", "s3:ObjectAcl:Put")
    rules = (
        Rule("a", "queue_configurations", arn, created),
        Rule("b", "queue_configurations", arn, ("s3:ObjectRemoved:*",), (FilterRule("Suffix", ".jpg"),), 7),
    )
    settings = {SETTING: msgspec.json.encode(Configuration(rules)).decode()}
    await catalog.create_bucket(by(), "plain", "a" * 64, "us-east-1")
    await catalog.create_bucket(by(), "telling", "a" * 64, "us-east-1", settings)
    every = "FROM notification_rules ORDER BY rule_number"
    expected = [
        ("telling", 1, "a", arn, list(created), "", "", 0),
        ("telling", 2, "b", arn, ["s3:ObjectRemoved:*"], "", ".jpg", 7),
    ]
    await catalog.close()
    with reach(tmp_path / "data") as reached:
        assert fetch(reached, Sql(every)).rows == expected
        assert [len(fetch(reached, Sql(every, owner=owner)).rows) for owner in ("a" * 64, "b" * 64)] == [2, 0]
