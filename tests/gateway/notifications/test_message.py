from __future__ import annotations

import json

import pytest

from catalog.events import EMPTY, Event
from catalog.lifecycle import REQUESTER
from catalog.records import Bucket, Origin
from gateway.notifications.message import described, first_message, message, record, time_text

PLAIN = Bucket(1, "photos", "owner", 0, "eu-central-1")
VERSIONED = Bucket(1, "photos", "owner", 0, "eu-central-1", "Suspended")
ORIGIN = Origin("user", "192.0.2.1", "REQUEST")


def event(name: str = "s3:ObjectCreated:Put", origin: Origin = ORIGIN, key: str = "a b/ü&é+") -> Event:
    return Event(255, name, 1_500, origin, key, "null", 3, "etag")


def test_the_whole_of_it() -> None:
    said = json.loads(message(event(), PLAIN, "rule"))
    assert said == {
        "EventName": "s3:ObjectCreated:Put",
        "Key": "photos/a b/ü&é+",
        "Records": [json.loads(json.dumps(record(event(), PLAIN, "rule")))],
    }
    (found,) = said["Records"]
    assert found["eventTime"] == "1970-01-01T00:00:01.500Z"
    assert (found["awsRegion"], found["s3"]["configurationId"]) == ("eu-central-1", "rule")


@pytest.mark.parametrize(
    ("given", "bucket", "said"),
    [
        (event(), PLAIN, {"key": "a+b/%C3%BC%26%C3%A9%2B", "size": 3, "eTag": "etag", "sequencer": "00000000000000FF"}),
        (
            Event(1, "s3:ObjectRemoved:DeleteMarkerCreated", 0, ORIGIN, "k", "null", None, EMPTY),
            VERSIONED,
            {"key": "k", "eTag": EMPTY, "versionId": "null", "sequencer": "0000000000000001"},
        ),
        (
            Event(1, "s3:ObjectRemoved:Delete", 0, ORIGIN, "k", "null"),
            PLAIN,
            {"key": "k", "sequencer": "0000000000000001"},
        ),
    ],
)
def test_what_it_says_of_the_object(given: Event, bucket: Bucket, said: dict[str, object]) -> None:
    assert described(given, bucket) == said


@pytest.mark.parametrize(
    ("name", "version"),
    [("ObjectCreated:Copy", "2.1"), ("ObjectRemoved:Delete", "2.1"), ("ObjectTagging:Put", "2.3")],
)
def test_the_version_of_the_structure(name: str, version: str) -> None:
    assert record(event(f"s3:{name}"), PLAIN, "rule")["eventVersion"] == version


@pytest.mark.parametrize(
    ("origin", "who", "where"),
    [
        (ORIGIN, "user", "192.0.2.1"),
        (Origin("", "192.0.2.1"), "Anonymous", "192.0.2.1"),
        (Origin(REQUESTER), "s3.amazonaws.com", "s3.amazonaws.com"),
    ],
)
def test_who_did_it(origin: Origin, who: str, where: str) -> None:
    said = record(event(origin=origin), PLAIN, "rule")
    assert said["userIdentity"] == {"principalId": who}
    assert said["requestParameters"] == {"sourceIPAddress": where}


def test_the_first_message() -> None:
    assert json.loads(first_message("photos", 2_000, "REQUEST")) == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "1970-01-01T00:00:02.000Z",
        "Bucket": "photos",
        "RequestId": "REQUEST",
        "HostId": "",
    }


def test_times_have_milliseconds() -> None:
    assert time_text(1_795_262_400_007) == "2026-11-21T12:00:00.007Z"
