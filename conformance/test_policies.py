"""What a bucket's policy lets others do, by boto3 as another user, and by hand as nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.policies import open_up, put_policy, statement
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Keys, Server, create_user, run_command

EVERYBODY = {"Principal": "*"}
HERE = {"where": ""}


def test_each_permission_is_one(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    put_policy(s3, bucket, statement(bucket, "s3:GetObject"))
    assert alice.get_object(Bucket=bucket, Key="key")["Body"].read() == b"x"
    assert alice.head_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    for call, given in (
        (alice.put_object, {"Key": "key"}),
        (alice.delete_object, {"Key": "key"}),
        (alice.get_object_tagging, {"Key": "key"}),
        (alice.get_object_acl, {"Key": "key"}),
        (alice.list_objects_v2, {}),
        (alice.get_bucket_location, {}),
        (alice.create_multipart_upload, {"Key": "key"}),
    ):
        with refused("AccessDenied", 403):
            call(Bucket=bucket, **given)


def test_a_whole_upload(s3: Any, alice: Any, bucket: str) -> None:
    put_policy(s3, bucket, statement(bucket, "s3:PutObject", "/in/*"))
    upload = alice.create_multipart_upload(Bucket=bucket, Key="in/key")["UploadId"]
    named = {"Bucket": bucket, "Key": "in/key", "UploadId": upload}
    part = alice.upload_part(**named, PartNumber=1, Body=b"x")
    with refused("AccessDenied", 403):
        alice.list_parts(**named)
    with refused("AccessDenied", 403):
        alice.abort_multipart_upload(**named)
    alice.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    # In this bucket, who owns it owns all that others write into it.
    assert s3.get_object(Bucket=bucket, Key="in/key")["Body"].read() == b"x"
    put_policy(s3, bucket, statement(bucket, ["s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]))
    other = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    alice.list_parts(Bucket=bucket, Key="key", UploadId=other)
    alice.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=other)


def test_versions_have_permissions_of_their_own(s3: Any, alice: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"x")["VersionId"]
    put_policy(s3, versioned, statement(versioned, ["s3:GetObject", "s3:DeleteObject"]))
    alice.get_object(Bucket=versioned, Key="key")
    for call in (alice.get_object, alice.head_object, alice.delete_object):
        with refused(403 if call == alice.head_object else "AccessDenied", 403):
            call(Bucket=versioned, Key="key", VersionId=version)
    marker = alice.delete_object(Bucket=versioned, Key="key")
    assert marker["DeleteMarker"]
    put_policy(s3, versioned, statement(versioned, ["s3:GetObjectVersion", "s3:DeleteObjectVersion"]))
    assert alice.get_object(Bucket=versioned, Key="key", VersionId=version)["Body"].read() == b"x"
    alice.delete_object(Bucket=versioned, Key="key", VersionId=version)
    with refused("AccessDenied", 403):
        alice.delete_object(Bucket=versioned, Key="key")


def test_a_missing_key_is_told_to_those_who_may_list(s3: Any, alice: Any, bucket: str) -> None:
    put_policy(s3, bucket, statement(bucket, "s3:GetObject"))
    with refused("AccessDenied", 403):
        alice.get_object(Bucket=bucket, Key="missing")
    with refused(403):
        alice.head_object(Bucket=bucket, Key="missing")
    put_policy(s3, bucket, statement(bucket, "s3:GetObject"), statement(bucket, "s3:ListBucket", ""))
    with refused("NoSuchKey", 404):
        alice.get_object(Bucket=bucket, Key="missing")
    with refused(404):
        alice.head_object(Bucket=bucket, Key="missing")


def test_a_copy_asks_both_sides(s3: Any, alice: Any, bucket: str, new_name: Callable[[str], str]) -> None:
    source = new_name("source")
    s3.create_bucket(Bucket=source)
    s3.put_object(Bucket=source, Key="open", Body=b"x")
    s3.put_object(Bucket=source, Key="tagged", Body=b"x", Tagging="a=1")
    s3.put_object(Bucket=source, Key="closed", Body=b"x")

    def copy(key: str, **given: Any) -> None:
        alice.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": source, "Key": key}, **given)

    put_policy(s3, bucket, statement(bucket, "s3:PutObject"))
    with refused("AccessDenied", 403):
        copy("open")
    readable = statement(
        source, "s3:GetObject", Resource=[f"arn:aws:s3:::{source}/{key}" for key in ("open", "tagged", "missing")]
    )
    put_policy(s3, source, readable)
    copy("open")
    for key in ("closed", "missing", "tagged"):
        with refused("AccessDenied", 403):
            copy(key)
    copy("tagged", TaggingDirective="REPLACE")
    with refused("AccessDenied", 403):
        copy("open", TaggingDirective="REPLACE", Tagging="a=1")
    put_policy(s3, source, readable, statement(source, "s3:GetObjectTagging"))
    put_policy(s3, bucket, statement(bucket, ["s3:PutObject", "s3:PutObjectTagging"]))
    copy("tagged")
    copy("open", TaggingDirective="REPLACE", Tagging="a=1")
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied", 403):
        copy("open")


def test_a_part_copied_asks_both_sides(s3: Any, alice: Any, bucket: str, new_name: Callable[[str], str]) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    s3.put_object(Bucket=bucket, Key="open", Body=b"x")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"x")
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", "/open"))
    upload = alice.create_multipart_upload(Bucket=hers, Key="key")["UploadId"]
    named = {"Bucket": hers, "Key": "key", "UploadId": upload, "PartNumber": 1}
    alice.upload_part_copy(**named, CopySource=f"{bucket}/open")
    with refused("AccessDenied", 403):
        alice.upload_part_copy(**named, CopySource=f"{bucket}/closed")


def test_many_keys_are_deleted_one_by_one(s3: Any, alice: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="in/1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="2")
    named: list[dict[str, Any]] = [{"Key": "in/1"}, {"Key": "2"}, {"Key": "in/1", "VersionId": version}]
    with refused("AccessDenied", 403):
        alice.delete_objects(Bucket=versioned, Delete={"Objects": named})
    put_policy(s3, versioned, statement(versioned, "s3:DeleteObject", "/in/*"))
    answer = alice.delete_objects(Bucket=versioned, Delete={"Objects": named})
    assert [each["Key"] for each in answer["Deleted"]] == ["in/1"]
    assert [(each["Key"], each.get("VersionId"), each["Code"]) for each in answer["Errors"]] == [
        ("2", None, "AccessDenied"),
        ("in/1", version, "AccessDenied"),
    ]


def test_tags_by_header_and_by_document(s3: Any, alice: Any, bucket: str) -> None:
    with_tags = {"Condition": {"StringEquals": {"s3:RequestObjectTag/level": "open"}}}
    put_policy(s3, bucket, statement(bucket, ["s3:PutObject", "s3:PutObjectTagging"], **with_tags))
    alice.put_object(Bucket=bucket, Key="key", Tagging="level=open&x=y")
    for tagging in ("level=closed", ""):
        with refused("AccessDenied", 403):
            alice.put_object(Bucket=bucket, Key="key", Tagging=tagging)

    def tag(value: str) -> None:
        alice.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "level", "Value": value}]})

    tag("open")
    with refused("AccessDenied", 403):
        tag("closed")
    put_policy(s3, bucket, statement(bucket, "s3:PutObject"))
    alice.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.put_object(Bucket=bucket, Key="key", Tagging="level=open")


def test_tags_that_the_object_has(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open", Tagging="level=open")
    s3.put_object(Bucket=bucket, Key="closed", Tagging="level=closed")
    existing = {"Condition": {"StringEquals": {"s3:ExistingObjectTag/level": "open"}}}
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", **existing))
    alice.get_object(Bucket=bucket, Key="open")
    with refused("AccessDenied", 403):
        alice.get_object(Bucket=bucket, Key="closed")


def test_listing_a_folder(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="home/alice/1")
    folder = {"Condition": {"StringLike": {"s3:prefix": "home/${aws:username}/*"}}}
    put_policy(s3, bucket, statement(bucket, "s3:ListBucket", "", **folder))
    assert alice.list_objects_v2(Bucket=bucket, Prefix="home/alice/")["KeyCount"] == 1
    for given in ({}, {"Prefix": "home/"}, {"Prefix": "home/bob/"}):
        with refused("AccessDenied", 403):
            alice.list_objects_v2(Bucket=bucket, **given)


def test_a_denial_holds_for_the_owner_too(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with_sse = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", **with_sse))
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="key")
    s3.put_object(Bucket=bucket, Key="key")


def test_buckets_of_others_are_not_listed(s3: Any, alice: Any, bucket: str) -> None:
    put_policy(s3, bucket, statement(bucket, "s3:*", Resource="*"))
    assert alice.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert bucket not in [each["Name"] for each in alice.list_buckets()["Buckets"]]


def test_a_user_of_the_same_name_is_another(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    first, second = Keys("FRANKACCESSKEY000001", "frank-secret"), Keys("FRANKACCESSKEY000002", "frank-secret")
    create_user(server.data, "frank", first)
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", Principal={"AWS": "frank"}))
    server.client(first).get_object(Bucket=bucket, Key="key")
    run_command("user", "delete", "frank", "--data", str(server.data))
    create_user(server.data, "frank", second)
    with refused("AccessDenied", 403):
        server.client(second).get_object(Bucket=bucket, Key="key")


def test_who_has_no_name_reads_what_is_public(s3: Any, raw: Raw, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"public")
    read = raw.plain("GET", f"/{bucket}/key")
    assert (raw.send(read).status, raw.send(read).code) == (403, "AccessDenied")
    open_up(s3, bucket)
    assert raw.send(read).code == "AccessDenied"
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", **EVERYBODY))
    answer = raw.send(read)
    assert (answer.status, answer.body) == (200, b"public")
    assert raw.send(raw.plain("HEAD", f"/{bucket}/key")).status == 200
    for method, path in (
        ("GET", f"/{bucket}"),
        ("GET", f"/{bucket}/missing"),
        ("PUT", f"/{bucket}/key"),
        ("DELETE", f"/{bucket}/key"),
        ("GET", f"/{bucket}/key?acl"),
        ("GET", f"/{bucket}?policy"),
        ("GET", "/"),
    ):
        assert raw.send(raw.plain(method, path)).code == "AccessDenied", (method, path)
    assert raw.send(raw.plain("GET", f"/{bucket}/key?response-content-type=a/b")).code == "InvalidRequest"


def test_who_has_no_name_writes_what_is_public(s3: Any, raw: Raw, bucket: str) -> None:
    open_up(s3, bucket)
    put_policy(s3, bucket, statement(bucket, ["s3:PutObject", "s3:DeleteObject"], "/in/*", **EVERYBODY))
    assert raw.send(raw.plain("PUT", f"/{bucket}/in/key", body=b"x")).status == 200
    assert s3.get_object(Bucket=bucket, Key="in/key")["Body"].read() == b"x"
    assert raw.send(raw.plain("PUT", f"/{bucket}/key", body=b"x")).code == "AccessDenied"
    assert raw.send(raw.plain("DELETE", f"/{bucket}/in/key")).status == 204


def test_what_nobody_may_do_without_a_name(s3: Any, raw: Raw, bucket: str) -> None:
    open_up(s3, bucket)
    s3.put_object(Bucket=bucket, Key="key")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    put_policy(s3, bucket, {"Effect": "Allow", **EVERYBODY, "Action": "s3:*", "Resource": everything})
    private, copied = {"x-amz-acl": "private"}, {"x-amz-copy-source": f"{bucket}/key"}
    for method, path, headers, message in (
        (
            "POST",
            f"/{bucket}/to?uploads",
            {},
            "Anonymous users cannot initiate multipart uploads.  Please authenticate.",
        ),
        ("PUT", f"/{bucket}/to", copied, "Anonymous users cannot copy objects.  Please authenticate."),
        ("PUT", f"/{bucket}?acl", private, "Anonymous users cannot invoke this API.  Please authenticate."),
        ("PUT", f"/{bucket}/key?acl", private, "Anonymous users cannot invoke this API.  Please authenticate."),
        ("PUT", f"/{bucket}-new", {}, "Anonymous users cannot invoke this API.  Please authenticate."),
        (
            "GET",
            f"/{bucket}?ownershipControls",
            {},
            "s3:GetBucketOwnershipControls does not support Anonymous requests!",
        ),
    ):
        answer = raw.send(raw.plain(method, path, headers))
        assert (answer.status, answer.code, answer.text("Message")) == (403, "AccessDenied", message)
    assert raw.send(raw.plain("GET", f"/{bucket}?acl")).status == 200


def test_a_public_policy_is_restricted_again(s3: Any, alice: Any, raw: Raw, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    open_up(s3, bucket)
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", **EVERYBODY))
    alice.get_object(Bucket=bucket, Key="key")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert raw.send(raw.plain("GET", f"/{bucket}/key")).code == "AccessDenied"
    with refused("AccessDenied", 403):
        alice.get_object(Bucket=bucket, Key="key")
    s3.get_object(Bucket=bucket, Key="key")


def test_a_form_of_nobody(s3: Any, raw: Raw, bucket: str) -> None:
    open_up(s3, bucket)
    put_policy(s3, bucket, statement(bucket, "s3:PutObject", "/in/*", **EVERYBODY))
    for key, tags, status in (("in/key", "", 204), ("key", "", 403), ("in/key", TAGGING, 403)):
        fields = {"key": key} | ({"tagging": tags} if tags else {})
        answer = raw.send(form(raw, bucket, fields))
        assert answer.status == status, (key, answer.body)
    put_policy(
        s3,
        bucket,
        statement(
            bucket,
            ["s3:PutObject", "s3:PutObjectTagging"],
            **EVERYBODY,
            Condition={"StringEquals": {"s3:RequestObjectTag/a": "1"}},
        ),
    )
    assert raw.send(form(raw, bucket, {"key": "key", "tagging": TAGGING})).status == 204
    assert raw.send(form(raw, bucket, {"key": "key", "tagging": TAGGING.replace("1", "2")})).status == 403


TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"


def form(raw: Raw, bucket: str, fields: dict[str, str]) -> Any:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--x--\r\n'
    body = "".join([*parts, file]).encode()
    return raw.plain("POST", f"/{bucket}", {"Content-Type": "multipart/form-data; boundary=x"}, body)


@pytest.mark.parametrize("by_url", [False, True])
def test_how_a_request_is_signed(s3: Any, raw: Raw, bucket: str, by_url: bool) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    only_headers = {
        "Effect": "Deny",
        "Principal": "*",
        "Condition": {"StringNotEquals": {"s3:authType": "REST-HEADER"}},
    }
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", **only_headers))
    request = raw.presign("GET", f"/{bucket}/key") if by_url else raw.prepare("GET", f"/{bucket}/key")
    assert raw.send(request).status == (403 if by_url else 200)


def test_old_urls(s3: Any, raw: Raw, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    for age, status in (("600000", 200), ("-1", 403)):
        young = {"Effect": "Deny", "Principal": "*", "Condition": {"NumericGreaterThan": {"s3:signatureAge": age}}}
        put_policy(s3, bucket, statement(bucket, "s3:GetObject", **young))
        assert raw.send(raw.presign("GET", f"/{bucket}/key")).status == status
