from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conformance.conftest import ALICE_ID
from conformance.raw import Raw
from conformance.refusals import refused

NewName = Callable[[str], str]


def names(answer: dict[str, Any]) -> list[str]:
    return [bucket["Name"] for bucket in answer["Buckets"]]


def make(client: Any, new_name: NewName, stem: str, count: int) -> list[str]:
    made = [new_name(stem) for _ in range(count)]
    for name in reversed(made):
        client.create_bucket(Bucket=name)
    return made


def test_lists_buckets_in_order_of_name(s3: Any, new_name: NewName) -> None:
    made = make(s3, new_name, "order", 3)
    listed = names(s3.list_buckets())
    assert [name for name in listed if name in made] == made
    assert listed == sorted(listed)


def test_names_owner_by_id_without_display_name(alice: Any) -> None:
    # AWS dropped DisplayName of owners from its answers in November 2025.
    assert alice.list_buckets()["Owner"] == {"ID": ALICE_ID}


def test_shows_when_each_bucket_was_made(s3: Any, new_name: NewName) -> None:
    (made,) = make(s3, new_name, "dated", 1)
    (found,) = s3.list_buckets(Prefix=made)["Buckets"]
    assert abs(datetime.now(UTC) - found["CreationDate"]) < timedelta(minutes=1)


def test_user_sees_own_buckets_only(alice: Any, new_name: NewName, bucket: str) -> None:
    (mine,) = make(alice, new_name, "alice", 1)
    listed = names(alice.list_buckets())
    assert mine in listed
    assert bucket not in listed


def test_root_sees_every_bucket(s3: Any, alice: Any, new_name: NewName) -> None:
    (hers,) = make(alice, new_name, "alice", 1)
    assert hers in names(s3.list_buckets())


def test_prefix_selects(s3: Any, new_name: NewName) -> None:
    made = make(s3, new_name, "prefixed", 2)
    make(s3, new_name, "prefiyed", 1)
    answer = s3.list_buckets(Prefix="prefixed-")
    assert names(answer) == made
    assert answer["Prefix"] == "prefixed-"


def test_prefix_that_nothing_has(s3: Any) -> None:
    assert s3.list_buckets(Prefix="nothing-has-this")["Buckets"] == []


def test_prefix_is_case_sensitive(s3: Any, bucket: str) -> None:
    assert s3.list_buckets(Prefix=bucket.upper())["Buckets"] == []


def test_pages_join_to_the_whole(s3: Any, new_name: NewName) -> None:
    made = make(s3, new_name, "paged", 5)
    pages = list(s3.get_paginator("list_buckets").paginate(Prefix="paged-", PaginationConfig={"PageSize": 2}))
    assert [len(page["Buckets"]) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in names(page)] == made


def test_last_page_has_no_token(s3: Any, new_name: NewName) -> None:
    make(s3, new_name, "exact", 2)
    assert "ContinuationToken" not in s3.list_buckets(Prefix="exact-", MaxBuckets=2)


def test_page_names_region_of_each_bucket(s3: Any, bucket: str) -> None:
    (found,) = s3.list_buckets(Prefix=bucket, MaxBuckets=1)["Buckets"]
    assert found["BucketRegion"] == "us-east-1"


@pytest.mark.parametrize("count", ["0", "10001", "-1", "many"])
def test_max_buckets_out_of_bounds_is_refused(raw: Raw, count: str) -> None:
    answer = raw.get("/", {"max-buckets": count})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.text("Message") == "Argument max-buckets must be an integer between 1 and 10000."


def test_token_that_was_never_given_is_refused(s3: Any) -> None:
    with refused("InvalidArgument", 400):
        s3.list_buckets(ContinuationToken="no such token")


def test_body_is_the_element_aws_sends(raw: Raw, bucket: str) -> None:
    answer = raw.get("/", {"prefix": bucket})
    assert answer.status == 200
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}ListAllMyBucketsResult"
    assert answer.header("content-type") == "application/xml"
    assert answer.text("Buckets/Bucket/Name") == bucket
    assert (answer.text("Buckets/Bucket/CreationDate") or "").endswith(".000Z")


def test_anonymous_is_refused(raw: Raw) -> None:
    # AWS redirects an anonymous GET / to its web site; an endpoint without one has only the refusal.
    answer = raw.send(raw.plain("GET", "/"))
    assert (answer.status, answer.code) == (403, "AccessDenied")
