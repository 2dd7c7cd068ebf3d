from __future__ import annotations

from typing import Any

import pytest

from gateway.cors import Rule, rules_of
from gateway.operations.buckets import create_bucket
from gateway.operations.cors import delete_bucket_cors, get_bucket_cors, put_bucket_cors
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext

RULE: dict[str, Any] = {"allowed_methods": ["GET"], "allowed_origins": ["*"], "max_age_seconds": 0}


async def test_what_was_put_is_kept_with_the_bucket(context: NewContext) -> None:
    await create_bucket(context(), "made")
    await put_bucket_cors(context("made"), "made", {"cors_rules": [RULE]})
    assert rules_of(context("made").here) == (Rule(["GET"], ["*"], max_age_seconds=0),)
    (found,) = (await get_bucket_cors(context("made"), "made"))["cors_rules"]
    assert {name: value for name, value in found.items() if value not in (None, [])} == RULE


async def test_deleting_leaves_none(context: NewContext) -> None:
    await create_bucket(context(), "made")
    unchanged = context("made").here
    await delete_bucket_cors(context("made"), "made")
    assert context("made").here == unchanged
    await put_bucket_cors(context("made"), "made", {"cors_rules": [RULE]})
    await delete_bucket_cors(context("made"), "made")
    with pytest.raises(S3Error) as refused:
        await get_bucket_cors(context("made"), "made")
    assert refused.value.code == "NoSuchCORSConfiguration"
