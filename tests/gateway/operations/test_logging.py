from __future__ import annotations

from typing import Any

import msgspec
import pytest

from catalog.records import Bucket
from gateway.access_logs.configuration import configuration
from gateway.operations.buckets import create_bucket
from gateway.operations.logging import get_bucket_logging, put_bucket_logging, target_of
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext

SOURCE = Bucket(1, "source", "a" * 64, 0, "us-east-1")


def on(target: str, **more: Any) -> dict[str, Any]:
    return {"logging_enabled": {"target_bucket": target, "target_prefix": "p/"} | more}


async def test_what_was_put_is_kept_with_the_bucket(context: NewContext) -> None:
    await create_bucket(context(), "made")
    assert await get_bucket_logging(context("made"), "made") == {}
    unchanged = context("made").here
    await put_bucket_logging(context("made"), "made", {})
    assert context("made").here == unchanged
    given = on("made", target_object_key_format={"simple_prefix": {}})
    await put_bucket_logging(context("made"), "made", given)
    assert await get_bucket_logging(context("made"), "made") == given
    await put_bucket_logging(context("made"), "made", {})
    assert configuration(context("made").here) is None


def test_buckets_of_two_regions() -> None:
    """As AWS was seen to answer."""
    there = msgspec.structs.replace(SOURCE, name="there", region="eu-west-1")
    with pytest.raises(S3Error) as error:
        target_of(lambda name: there, SOURCE, "there")
    assert (error.value.code, error.value.status) == ("CrossLocationLoggingProhibitted", 403)
    assert error.value.fields == {"SourceBucketLocation": "us-east-1", "TargetBucketLocation": "eu-west-1"}
