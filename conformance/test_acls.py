"""ACLs where they are in force: what they let others do, and whose what they write is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.conftest import ALICE_ID
from conformance.policies import put_policy, statement
from conformance.raw import Raw
from conformance.refusals import refused

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


@pytest.fixture
def open_bucket(s3: Any, new_name: Callable[[str], str]) -> Callable[..., str]:
    """A bucket of root's where ACLs are in force, public ones as well."""

    def make(ownership: str = "ObjectWriter", **given: Any) -> str:
        name = new_name("acls")
        s3.create_bucket(Bucket=name, ObjectOwnership=ownership)
        s3.delete_public_access_block(Bucket=name)
        if given:
            s3.put_bucket_acl(Bucket=name, **given)
        return name

    return make


def grants(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["Grantee"].get("ID") or each["Grantee"]["URI"], each["Permission"]) for each in answer["Grants"]]


def owner(client: Any) -> str:
    found: str = client.list_buckets()["Owner"]["ID"]
    return found


def test_a_public_object_in_a_private_bucket(s3: Any, alice: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket()
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"x")
    assert grants(s3.get_object_acl(Bucket=bucket, Key="open")) == [(owner(s3), "FULL_CONTROL"), (ALL_USERS, "READ")]
    answer = raw.send(raw.plain("GET", f"/{bucket}/open"))
    assert (answer.status, answer.body) == (200, b"x")
    alice.get_object(Bucket=bucket, Key="open")
    for path in (f"/{bucket}/closed", f"/{bucket}", f"/{bucket}/open?acl", f"/{bucket}/missing"):
        assert raw.send(raw.plain("GET", path)).code == "AccessDenied", path
    s3.put_object_acl(Bucket=bucket, Key="open", ACL="authenticated-read")
    assert raw.send(raw.plain("GET", f"/{bucket}/open")).code == "AccessDenied"
    alice.get_object(Bucket=bucket, Key="open")


def test_a_public_bucket_of_private_objects(s3: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket(ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="key")
    assert raw.send(raw.plain("GET", f"/{bucket}")).status == 200
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).code == "AccessDenied"
    assert raw.send(raw.plain("GET", f"/{bucket}/missing")).code == "NoSuchKey"
    assert raw.send(raw.plain("PUT", f"/{bucket}/theirs", body=b"x")).status == 200
    assert raw.send(raw.plain("DELETE", f"/{bucket}/key")).code == "AccessDenied"
    assert raw.send(raw.plain("GET", f"/{bucket}?acl")).code == "AccessDenied"
    assert raw.send(raw.plain("GET", f"/{bucket}?tagging")).code == "AccessDenied"


@pytest.mark.parametrize(
    ("permission", "calls"),
    [
        ("READ", {"list_objects_v2"}),
        ("WRITE", {"put_object"}),
        ("READ_ACP", {"get_bucket_acl"}),
        ("WRITE_ACP", {"put_bucket_acl"}),
        ("FULL_CONTROL", {"list_objects_v2", "put_object", "get_bucket_acl", "put_bucket_acl"}),
    ],
)
def test_each_permission_on_a_bucket(s3: Any, alice: Any, open_bucket: Any, permission: str, calls: set[str]) -> None:
    header = {"READ": "GrantRead", "WRITE": "GrantWrite", "READ_ACP": "GrantReadACP", "WRITE_ACP": "GrantWriteACP"}
    bucket = open_bucket(**{header.get(permission, "GrantFullControl"): f"id={ALICE_ID}"})
    tries = {
        "list_objects_v2": {},
        "put_object": {"Key": "key"},
        "get_bucket_acl": {},
        "put_bucket_acl": {"GrantFullControl": f"id={ALICE_ID}"},
        "get_bucket_policy": {},
        "delete_bucket": {},
    }
    for call, given in tries.items():
        if call in calls:
            getattr(alice, call)(Bucket=bucket, **given)
        else:
            with refused("AccessDenied", 403):
                getattr(alice, call)(Bucket=bucket, **given)


@pytest.mark.parametrize(
    ("permission", "calls"),
    [
        ("READ", {"get_object"}),
        ("READ_ACP", {"get_object_acl"}),
        ("WRITE_ACP", {"put_object_acl"}),
        ("FULL_CONTROL", {"get_object", "get_object_acl", "put_object_acl"}),
    ],
)
def test_each_permission_on_an_object(s3: Any, alice: Any, open_bucket: Any, permission: str, calls: set[str]) -> None:
    bucket = open_bucket()
    grant = {"Grantee": {"Type": "AmazonCustomerByEmail", "EmailAddress": "a@example.com"}, "Permission": permission}
    s3.put_object(Bucket=bucket, Key="key")
    policy = {"Owner": {"ID": owner(s3)}, "Grants": [grant]}
    s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=policy)
    assert grants(s3.get_object_acl(Bucket=bucket, Key="key")) == [(ALICE_ID, permission)]
    tries = {"get_object": {}, "get_object_acl": {}, "put_object_acl": {"GrantFullControl": f"id={ALICE_ID}"}}
    for call, given in tries.items():
        if call in calls:
            getattr(alice, call)(Bucket=bucket, Key="key", **given)
        else:
            with refused("AccessDenied", 403):
                getattr(alice, call)(Bucket=bucket, Key="key", **given)
    with refused("AccessDenied", 403):
        alice.delete_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize("how", ["put", "upload", "copy"])
@pytest.mark.parametrize(
    ("ownership", "acl", "hers"),
    [
        ("ObjectWriter", None, True),
        ("ObjectWriter", "bucket-owner-full-control", True),
        ("BucketOwnerPreferred", None, True),
        ("BucketOwnerPreferred", "bucket-owner-full-control", False),
    ],
)
def test_whose_what_others_write_is(
    s3: Any, alice: Any, open_bucket: Any, new_name: Any, how: str, ownership: str, acl: str | None, hers: bool
) -> None:
    bucket = open_bucket(ownership, ACL="public-read-write")
    given = {"ACL": acl} if acl else {}
    if how == "put":
        alice.put_object(Bucket=bucket, Key="key", Body=b"x", **given)
    elif how == "copy":
        source = new_name("source")
        alice.create_bucket(Bucket=source)
        alice.put_object(Bucket=source, Key="key", Body=b"x")
        alice.copy_object(Bucket=bucket, Key="key", CopySource=f"{source}/key", **given)
    else:
        upload = alice.create_multipart_upload(Bucket=bucket, Key="key", **given)["UploadId"]
        named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
        etag = alice.upload_part(**named, PartNumber=1, Body=b"x")["ETag"]
        assert alice.list_parts(**named)["Parts"][0]["ETag"] == etag
        alice.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    of, reads = (alice, alice) if hers else (s3, s3)
    assert of.get_object_acl(Bucket=bucket, Key="key")["Owner"]["ID"] == owner(of)
    assert reads.get_object(Bucket=bucket, Key="key")["Body"].read() == b"x"
    if acl and hers:
        assert (owner(s3), "FULL_CONTROL") in grants(alice.get_object_acl(Bucket=bucket, Key="key"))
    s3.delete_object(Bucket=bucket, Key="key")


def test_a_buckets_owner_reads_nothing_of_others(alice: Any, s3: Any, new_name: Any, raw: Raw) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers, ObjectOwnership="ObjectWriter")
    alice.delete_public_access_block(Bucket=hers)
    alice.put_bucket_acl(Bucket=hers, ACL="public-read-write")
    s3.put_object(Bucket=hers, Key="roots", Body=b"x")
    assert raw.send(raw.plain("PUT", f"/{hers}/nobodys", body=b"x")).status == 200
    put_policy(alice, hers, statement(hers, "s3:GetObject", Principal="*"))
    for key in ("roots", "nobodys"):
        with refused("AccessDenied", 403):
            alice.get_object(Bucket=hers, Key=key)
        with refused("AccessDenied", 403):
            alice.put_object_acl(Bucket=hers, Key=key, ACL="private")
    assert s3.get_object(Bucket=hers, Key="roots")["Body"].read() == b"x"
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        alice.put_bucket_ownership_controls(Bucket=hers, OwnershipControls=controls)
    alice.put_bucket_acl(Bucket=hers, ACL="private")
    alice.put_bucket_ownership_controls(Bucket=hers, OwnershipControls=controls)
    # Whoever owns the bucket owns all of it now.
    assert alice.get_object(Bucket=hers, Key="roots")["Body"].read() == b"x"
    assert alice.get_object_acl(Bucket=hers, Key="roots")["Owner"]["ID"] == ALICE_ID


def test_public_acls_are_blocked_and_ignored(s3: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket(ACL="public-read")
    s3.put_object(Bucket=bucket, Key="key", ACL="public-read")
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).status == 200
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).code == "AccessDenied"
    assert raw.send(raw.plain("GET", f"/{bucket}")).code == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="key", ACL="public-read")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert raw.send(raw.plain("GET", f"/{bucket}")).status == 200
    public = {"GrantRead": f"uri={ALL_USERS}"}
    for given in ({"ACL": "public-read"}, {"ACL": "authenticated-read"}, public):
        with refused("AccessDenied", 403):
            s3.put_bucket_acl(Bucket=bucket, **given)
        for call in (s3.put_object, s3.put_object_acl, s3.create_multipart_upload):
            with refused("AccessDenied", 403):
                call(Bucket=bucket, Key="key", **given)
    s3.put_object(Bucket=bucket, Key="key", GrantRead=f"id={ALICE_ID}")


def test_a_denial_beats_an_acl(s3: Any, alice: Any, open_bucket: Any) -> None:
    bucket = open_bucket(ACL="authenticated-read")
    alice.list_objects_v2(Bucket=bucket)
    put_policy(s3, bucket, statement(bucket, "s3:ListBucket", "", Effect="Deny"))
    with refused("AccessDenied", 403):
        alice.list_objects_v2(Bucket=bucket)


def test_a_policy_to_put_is_none_to_publish(s3: Any, alice: Any, open_bucket: Any) -> None:
    bucket = open_bucket()
    put_policy(s3, bucket, statement(bucket, "s3:PutObject"))
    alice.put_object(Bucket=bucket, Key="key", ACL="bucket-owner-full-control")
    with refused("AccessDenied", 403):
        alice.put_object(Bucket=bucket, Key="key", ACL="public-read")
    put_policy(s3, bucket, statement(bucket, ["s3:PutObject", "s3:PutObjectAcl"]))
    alice.put_object(Bucket=bucket, Key="key", ACL="public-read")


def test_acls_of_versions(s3: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="key", Body=b"old")["VersionId"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"new")
    s3.put_object_acl(Bucket=bucket, Key="key", VersionId=old, ACL="public-read")
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).code == "AccessDenied"
    answer = raw.send(raw.plain("GET", f"/{bucket}/key?versionId={old}"))
    assert (answer.status, answer.body) == (200, b"old")


def test_what_does_not_survive_an_overwrite_or_a_copy(s3: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket()
    s3.put_object(Bucket=bucket, Key="key", ACL="public-read")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    assert raw.send(raw.plain("GET", f"/{bucket}/copy")).code == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="key")
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).code == "AccessDenied"


def test_how_grants_are_written(s3: Any, raw: Raw, open_bucket: Any) -> None:
    bucket = open_bucket(ACL="authenticated-read")
    answer = raw.get(f"/{bucket}", {"acl": ""})
    assert answer.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL", "READ"]
    assert answer.texts("AccessControlList/Grant/Grantee/URI") == [AUTHENTICATED_USERS]
    kinds = [element.values() for element in answer.all("AccessControlList/Grant/Grantee")]
    assert kinds == [["CanonicalUser"], ["Group"]]
    # What was read may be put again, by hand as well.
    assert raw.put(f"/{bucket}", answer.body, {"acl": ""}).status == 200
    assert raw.get(f"/{bucket}", {"acl": ""}).body == answer.body


def test_a_bucket_made_with_an_acl(s3: Any, alice: Any, new_name: Any) -> None:
    name = new_name("first")
    with refused("InvalidBucketAclWithBlockPublicAccessError", 400):
        s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter", ACL="public-read")
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        s3.create_bucket(Bucket=name, GrantRead=f"id={ALICE_ID}")
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter", GrantRead=f"id={ALICE_ID}")
    alice.list_objects_v2(Bucket=name)
