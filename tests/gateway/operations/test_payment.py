from __future__ import annotations

from gateway.operations.buckets import create_bucket
from gateway.operations.payment import get_bucket_request_payment, put_bucket_request_payment
from tests.gateway.conftest import NewContext


async def test_kept_only_where_the_requester_pays(context: NewContext) -> None:
    await create_bucket(context(), "made")
    before = context("made").here
    await put_bucket_request_payment(context("made"), "made", {"payer": "BucketOwner"})
    assert context("made").here == before
    await put_bucket_request_payment(context("made"), "made", {"payer": "Requester"})
    assert await get_bucket_request_payment(context("made"), "made") == {"payer": "Requester"}
    await put_bucket_request_payment(context("made"), "made", {"payer": "BucketOwner"})
    assert context("made").here == before
