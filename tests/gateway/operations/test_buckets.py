from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.errors import BucketNotEmpty, NoBucket
from catalog.records import Version
from gateway.access.acl import acls_on
from gateway.operations.buckets import (
    create_bucket,
    decode_token,
    delete_bucket,
    encode_token,
    get_bucket_location,
    head_bucket,
    is_name,
    list_buckets,
)
from gateway.s3.errors import S3Error
from gateway.settings import Settings
from tests.gateway.conftest import ALICE, ROOT, NewContext


@pytest.mark.parametrize("name", ["abc", "a" * 63, "a.b", "1-2", "a--b", "my.bucket-9", "a.b.c.d", "1.2.3", "a1.2.3.4"])
def test_names_within_the_rules(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "ab",
            "a" * 64,
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "a.-b",
            "a-.b",
            "1.2.3.4",
            "abc\n",
            "äbc",
        ),
        *("xn--abc", "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3"),
    ],
)
def test_names_against_the_rules(name: str) -> None:
    assert not is_name(name)


async def test_create_answers_with_place_and_arn(context: NewContext) -> None:
    made = await create_bucket(context(), "made")
    assert made == {"location": "/made", "bucket_arn": "arn:aws:s3:::made"}
    assert context("made").here.owner == ALICE.id


async def test_own_bucket_again_is_well_in_us_east_1_without_tags(context: NewContext) -> None:
    await create_bucket(context(), "mine")
    await create_bucket(context(), "mine")
    tagged = {"tags": [{"key": "a", "value": "b"}]}
    with pytest.raises(S3Error, match="BucketAlreadyOwnedByYou"):
        await create_bucket(context(), "mine", tagged)


async def test_own_bucket_again_is_refused_elsewhere(context: NewContext) -> None:
    elsewhere = replace(context().settings, region="eu-west-1")
    there = {"location_constraint": "eu-west-1"}
    await create_bucket(context(settings=elsewhere), "mine", there)
    with pytest.raises(S3Error, match="BucketAlreadyOwnedByYou"):
        await create_bucket(context(settings=elsewhere), "mine", there)
    assert (await get_bucket_location(context("mine"), "mine"))["location_constraint"] == "eu-west-1"


async def test_the_name_of_another_is_taken(context: NewContext) -> None:
    await create_bucket(context(caller=ROOT), "taken")
    with pytest.raises(S3Error, match="BucketAlreadyExists"):
        await create_bucket(context(), "taken")


@pytest.mark.parametrize(
    "region, constraint, code",
    [
        ("us-east-1", "eu-west-1", "InvalidLocationConstraint"),
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "us-east-1", "IllegalLocationConstraintException"),
    ],
)
async def test_a_location_that_is_not_here_is_refused(
    context: NewContext, region: str, constraint: str | None, code: str
) -> None:
    settings = replace(context().settings, region=region)
    with pytest.raises(S3Error, match=code):
        await create_bucket(context(settings=settings), "made", {"location_constraint": constraint})
    with pytest.raises(NoBucket):
        context("made")


@pytest.mark.parametrize(
    "more",
    [
        {"bucket_namespace": "account-regional"},
        {"create_bucket_configuration": {"bucket": {"type": "Directory"}}},
        {"create_bucket_configuration": {"location": {"name": "x"}}},
    ],
)
async def test_what_is_not_built_is_refused(context: NewContext, more: dict[str, object]) -> None:
    with pytest.raises(S3Error, match="NotImplemented"):
        await create_bucket(context(), "made", **more)


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read"])
@pytest.mark.parametrize(
    "ownership, code",
    [
        (None, "InvalidBucketAclWithObjectOwnership"),
        ("BucketOwnerEnforced", "InvalidBucketAclWithObjectOwnership"),
        ("ObjectWriter", "InvalidBucketAclWithBlockPublicAccessError"),
        ("BucketOwnerPreferred", "InvalidBucketAclWithBlockPublicAccessError"),
    ],
)
async def test_no_bucket_begins_public(context: NewContext, acl: str, ownership: str | None, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        await create_bucket(context(), "made", acl=acl, object_ownership=ownership)
    assert refused.value.code == code
    with pytest.raises(NoBucket):
        context("made")


async def test_what_happens_anyway_may_be_asked_for(context: NewContext) -> None:
    await create_bucket(context(), "made", acl="private", object_ownership="BucketOwnerEnforced")


async def test_head_names_the_region(context: NewContext) -> None:
    await create_bucket(context(), "made")
    assert (await head_bucket(context("made"), "made"))["bucket_region"] == "us-east-1"
    assert (await get_bucket_location(context("made"), "made"))["location_constraint"] is None


async def test_delete_takes_only_what_is_empty(context: NewContext) -> None:
    await create_bucket(context(), "made")
    cx = context("made")
    draft = Version(0, "", 0, "etag", 1, "STANDARD", ALICE.id)
    await cx.catalog.put(cx.origin, cx.here, "key", draft, b"x")
    with pytest.raises(BucketNotEmpty):
        await delete_bucket(cx, "made")
    await cx.catalog.delete(cx.origin, cx.here, "key")
    await delete_bucket(cx, "made")
    with pytest.raises(NoBucket):
        context("made")


async def test_a_user_lists_own_buckets_root_all(context: NewContext) -> None:
    await create_bucket(context(), "hers")
    await create_bucket(context(caller=ROOT), "roots")
    hers, all = await list_buckets(context()), await list_buckets(context(caller=ROOT))
    assert [bucket["name"] for bucket in hers["buckets"]] == ["hers"]
    assert [bucket["name"] for bucket in all["buckets"]] == ["hers", "roots"]
    assert hers["owner"] == {"id": ALICE.id}


async def test_pages_of_buckets_join_to_the_whole(context: NewContext) -> None:
    names = [f"bucket-{number}" for number in range(5)]
    for name in names:
        await create_bucket(context(), name)
    found: list[str] = []
    token = None
    while True:
        page = await list_buckets(context(), max_buckets=2, continuation_token=token)
        found += [bucket["name"] for bucket in page["buckets"]]
        token = page["continuation_token"]
        if token is None:
            break
    assert found == names


async def test_region_is_told_only_of_a_part_of_the_buckets(context: NewContext) -> None:
    await create_bucket(context(), "made")
    (plain,) = (await list_buckets(context()))["buckets"]
    (part,) = (await list_buckets(context(), prefix="m"))["buckets"]
    assert (plain["bucket_region"], part["bucket_region"]) == (None, "us-east-1")
    assert (await list_buckets(context(), bucket_region="eu-west-1"))["buckets"] == []
    with pytest.raises(S3Error, match="InvalidArgument"):
        await list_buckets(context(), bucket_region="no region")


def test_tokens_hold_any_name() -> None:
    for name in ["a", "ünï/ cöde\n", "x" * 1024]:
        assert decode_token(encode_token(name)) == name
    assert decode_token(None) == ""


@pytest.mark.parametrize("token", ["", "not base64!", "abc", "_-8="])
def test_a_token_that_was_never_given_is_refused(token: str) -> None:
    with pytest.raises(S3Error, match="InvalidArgument"):
        decode_token(token)


async def test_what_the_server_gives_a_new_bucket(context: NewContext, settings: Settings) -> None:
    old = replace(settings, object_ownership="ObjectWriter", block_public_access=False)
    await create_bucket(context(settings=old), "old", acl="public-read")
    assert context("old").here.settings is not None
    assert set(context("old").here.settings or {}) == {"ownership_controls", "public_access_block", "acl"}
    await create_bucket(context(settings=old), "asked", object_ownership="BucketOwnerEnforced")
    assert not acls_on(context("asked").here)
    await create_bucket(context(), "new")
    assert context("new").here.settings is None


@pytest.mark.parametrize(
    ("acl", "ownership", "code"),
    [
        ("public-read", None, "InvalidBucketAclWithObjectOwnership"),
        ("public-read", "BucketOwnerEnforced", "InvalidBucketAclWithObjectOwnership"),
        ("public-read", "ObjectWriter", "InvalidBucketAclWithBlockPublicAccessError"),
    ],
)
async def test_a_first_acl_that_a_bucket_would_not_take(
    context: NewContext, acl: str, ownership: str | None, code: str
) -> None:
    with pytest.raises(S3Error) as refused:
        await create_bucket(context(), "made", acl=acl, object_ownership=ownership)
    assert refused.value.code == code
