from __future__ import annotations

import pytest

from catalog.events import EMPTY, Event, event_of
from catalog.lifecycle import REQUESTER
from catalog.records import (
    LogRecord,
    Mutation,
    ObjectChanged,
    Origin,
    Removed,
    UploadAborted,
    Version,
    VersionUpdated,
)

PUT = Version(7, "id", 5, "etag", 3, "STANDARD", "root")
MARKER = Version(7, "id", 5, "", 0, "STANDARD", "root", delete_marker=True)
GONE = [Removed(3, "gone")]


@pytest.mark.parametrize(
    ("mutation", "operation", "name", "about"),
    [
        (ObjectChanged(1, "key", PUT, GONE), "", "ObjectCreated:Put", ("id", 3, "etag")),
        (ObjectChanged(1, "key", PUT), "CopyObject", "ObjectCreated:Copy", ("id", 3, "etag")),
        (ObjectChanged(1, "key", PUT), "PostObject", "ObjectCreated:Post", ("id", 3, "etag")),
        (
            ObjectChanged(1, "key", PUT, upload_id="upload"),
            "",
            "ObjectCreated:CompleteMultipartUpload",
            ("id", 3, "etag"),
        ),
        (ObjectChanged(1, "key", MARKER, GONE), "", "ObjectRemoved:DeleteMarkerCreated", ("id", None, EMPTY)),
        (ObjectChanged(1, "key", None, GONE), "", "ObjectRemoved:Delete", ("gone", None, None)),
        (VersionUpdated(1, "key", PUT), "PutObjectTagging", "ObjectTagging:Put", ("id", None, "etag")),
        (VersionUpdated(1, "key", PUT), "DeleteObjectTagging", "ObjectTagging:Delete", ("id", None, "etag")),
        (VersionUpdated(1, "key", PUT), "PutObjectAcl", "ObjectAcl:Put", ("id", None, "etag")),
        (VersionUpdated(1, "key", PUT), "PutObjectRetention", "ObjectRetention:Put", ("id", None, "etag")),
    ],
)
def test_what_s3_calls_it(
    mutation: Mutation, operation: str, name: str, about: tuple[str, int | None, str | None]
) -> None:
    origin = Origin("user", operation=operation)
    assert event_of(9, LogRecord(11, origin, mutation), mutation) == Event(9, f"s3:{name}", 11, origin, "key", *about)


@pytest.mark.parametrize(
    "mutation", [VersionUpdated(1, "key", PUT), UploadAborted(1, "key", "upload")]
)  # a legal hold, say
def test_of_what_nobody_is_told(mutation: Mutation) -> None:
    assert event_of(9, LogRecord(11, Origin(), mutation), mutation) is None


@pytest.mark.parametrize(("put", "name"), [(MARKER, "DeleteMarkerCreated"), (None, "Delete")])
def test_what_lifecycle_rules_removed(put: Version | None, name: str) -> None:
    mutation = ObjectChanged(1, "key", put, GONE)
    event = event_of(9, LogRecord(11, Origin(REQUESTER), mutation), mutation)
    assert event is not None and event.by_lifecycle
    assert event.name == f"s3:LifecycleExpiration:{name}"
