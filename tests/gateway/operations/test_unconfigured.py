from __future__ import annotations

import pytest

from gateway.operations import unconfigured
from gateway.operations.buckets import create_bucket
from gateway.s3.errors import S3Error
from gateway.s3.model import operations
from tests.gateway.conftest import NewContext

# Each has its own code.
CODES = {
    "GetBucketEncryption": "ServerSideEncryptionConfigurationNotFoundError",
    "GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration",
    "GetBucketReplication": "ReplicationConfigurationNotFoundError",
    "GetBucketWebsite": "NoSuchWebsiteConfiguration",
    "GetObjectLockConfiguration": "ObjectLockConfigurationNotFoundError",
}


@pytest.mark.parametrize("name", CODES)
async def test_reading_says_that_there_is_none(context: NewContext, name: str) -> None:
    await create_bucket(context(), "made")
    handler = operations[name].handler
    assert handler is not None
    with pytest.raises(S3Error) as refused:
        await handler(context("made"), bucket="made")
    assert (refused.value.code, refused.value.status) == (CODES[name], 404)
    assert refused.value.fields == {"BucketName": "made"}


async def test_deleting_leaves_the_bucket_as_it_is(context: NewContext) -> None:
    await create_bucket(context(), "made")
    before = context("made").here
    await unconfigured.delete_bucket_website(context("made"), "made")
    assert context("made").here == before
