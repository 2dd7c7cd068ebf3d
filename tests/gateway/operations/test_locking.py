from __future__ import annotations

import pytest

from gateway.operations.buckets import create_bucket
from gateway.s3.errors import S3Error
from gateway.s3.model import operations
from tests.gateway.conftest import NewContext


@pytest.mark.parametrize(
    "name", ["GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold"]
)
async def test_no_bucket_has_object_lock(context: NewContext, name: str) -> None:
    await create_bucket(context(), "made")
    handler = operations[name].handler
    assert handler is not None
    with pytest.raises(S3Error) as refused:
        await handler(context("made"), bucket="made", key="key")
    assert (refused.value.code, refused.value.status) == ("InvalidRequest", 400)
