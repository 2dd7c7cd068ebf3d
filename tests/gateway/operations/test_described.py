from __future__ import annotations

import pytest

from catalog.records import Bucket
from gateway.operations.described import (
    KEPT,
    STORAGE_CLASSES,
    describe,
    named_version,
    shown_class,
    shown_headers,
    shown_version,
)
from gateway.s3.errors import S3Error

NOTHING: dict[str, str | None] = dict.fromkeys(KEPT)


def test_what_was_not_said() -> None:
    described = describe(None, NOTHING, None, None, None)
    assert described.content_type == "binary/octet-stream"
    assert described.storage_class == "STANDARD"
    assert (described.headers, described.metadata, described.tags) == (None, None, None)


def test_kept_headers_come_back_under_their_members() -> None:
    kept = NOTHING | {"cache_control": "no-cache", "expires": "never"}
    described = describe("text/plain", kept, {"a": "b"}, "STANDARD_IA", "t=1")
    assert described.headers == {"cache-control": "no-cache", "expires": "never"}
    assert shown_headers(described.headers) == {"cache_control": "no-cache", "expires": "never"}
    assert described.tags == {"t": "1"}


@pytest.mark.parametrize("location", ["/a", "http://example.org/", "https://example.org/"])
def test_redirects(location: str) -> None:
    described = describe(None, NOTHING | {"website_redirect_location": location}, None, None, None)
    assert described.headers == {"x-amz-website-redirect-location": location}


def test_a_redirect_to_nowhere() -> None:
    with pytest.raises(S3Error, match="InvalidRedirectLocation"):
        describe(None, NOTHING | {"website_redirect_location": "ftp://x"}, None, None, None)


def test_storage_classes() -> None:
    for name in STORAGE_CLASSES:
        assert describe(None, NOTHING, None, name, None).storage_class == name
    with pytest.raises(S3Error) as refused:
        describe(None, NOTHING, None, "EXPRESS_ONEZONE", None)
    assert refused.value.fields == {"StorageClassRequested": "EXPRESS_ONEZONE"}
    assert (shown_class("STANDARD"), shown_class("GLACIER")) == (None, "GLACIER")


def test_version_ids_only_where_versioning_was() -> None:
    bucket = Bucket(1, "b", "", 0, "")
    assert shown_version(bucket, "null") is None
    assert (named_version("null"), named_version("v")) == (None, "v")
    for state in ("Enabled", "Suspended"):
        assert shown_version(Bucket(1, "b", "", 0, "", state), "v") == "v"
