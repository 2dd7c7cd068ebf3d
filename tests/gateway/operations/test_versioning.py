from __future__ import annotations

import pytest

from gateway.operations.buckets import create_bucket
from gateway.operations.versioning import get_bucket_versioning, put_bucket_versioning
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext


async def test_a_new_bucket_has_no_status(context: NewContext) -> None:
    await create_bucket(context(), "made")
    assert await get_bucket_versioning(context("made"), "made") == {"status": None}


async def test_status_is_what_was_put(context: NewContext) -> None:
    await create_bucket(context(), "made")
    for status in ("Suspended", "Enabled", "Enabled", "Suspended"):
        await put_bucket_versioning(context("made"), "made", {"status": status})
        assert await get_bucket_versioning(context("made"), "made") == {"status": status}


async def test_a_configuration_without_status_is_refused(context: NewContext) -> None:
    await create_bucket(context(), "made")
    with pytest.raises(S3Error, match="IllegalVersioningConfigurationException"):
        await put_bucket_versioning(context("made"), "made", {})


async def test_mfa_delete_is_not_built_but_may_be_off(context: NewContext) -> None:
    await create_bucket(context(), "made")
    with pytest.raises(S3Error, match="NotImplemented"):
        await put_bucket_versioning(context("made"), "made", {"status": "Enabled", "mfa_delete": "Enabled"})
    await put_bucket_versioning(context("made"), "made", {"status": "Enabled", "mfa_delete": "Disabled"})
