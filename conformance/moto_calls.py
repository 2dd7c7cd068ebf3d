"""Calls to make of two servers: each gets a bucket of its own and returns what is to be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.content import PART, checksum, noise

Call = Callable[[Any, str], Any]
CALLS: dict[str, Call] = {}


def call(function: Call) -> Call:
    CALLS[function.__name__] = function
    return function


def version(s3: Any, bucket: str, status: str = "Enabled") -> Any:
    return s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def put(s3: Any, bucket: str, key: str = "key", body: bytes = b"body", **more: Any) -> Any:
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


def upload(s3: Any, bucket: str, *bodies: bytes, **options: Any) -> tuple[dict[str, str], list[dict[str, Any]]]:
    begun = s3.create_multipart_upload(Bucket=bucket, Key="key", **options)
    named = {"Bucket": bucket, "Key": "key", "UploadId": begun["UploadId"]}
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(PartNumber=number, Body=body, **named)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return named, parts


@call
def bucket_made_again(s3: Any, bucket: str) -> Any:
    return s3.create_bucket(Bucket=bucket)


@call
def bucket_with_a_bad_name(s3: Any, bucket: str) -> Any:
    return s3.create_bucket(Bucket="Upper_Case")


@call
def bucket_named_like_an_address(s3: Any, bucket: str) -> Any:
    return s3.create_bucket(Bucket="192.168.1.1")


@call
def bucket_looked_at(s3: Any, bucket: str) -> Any:
    return s3.head_bucket(Bucket=bucket)


@call
def bucket_that_is_not_there(s3: Any, bucket: str) -> Any:
    return s3.list_objects_v2(Bucket="there-is-no-such-bucket")


@call
def bucket_deleted_while_full(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return s3.delete_bucket(Bucket=bucket)


@call
def bucket_location(s3: Any, bucket: str) -> Any:
    return s3.get_bucket_location(Bucket=bucket)


@call
def bucket_versioning(s3: Any, bucket: str) -> Any:
    before = s3.get_bucket_versioning(Bucket=bucket)
    version(s3, bucket)
    return before, s3.get_bucket_versioning(Bucket=bucket)


@call
def bucket_tags(s3: Any, bucket: str) -> Any:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    return s3.get_bucket_tagging(Bucket=bucket)


@call
def bucket_tags_that_are_none(s3: Any, bucket: str) -> Any:
    return s3.get_bucket_tagging(Bucket=bucket)


@call
def object_put(s3: Any, bucket: str) -> Any:
    return put(s3, bucket)


@call
def object_got(s3: Any, bucket: str) -> Any:
    put(s3, bucket, Metadata={"a": "b"}, ContentType="text/plain", CacheControl="no-cache")
    return s3.get_object(Bucket=bucket, Key="key")


@call
def object_looked_at(s3: Any, bucket: str) -> Any:
    put(s3, bucket, StorageClass="STANDARD_IA", Tagging="a=b")
    return s3.head_object(Bucket=bucket, Key="key")


@call
def object_that_is_not_there(s3: Any, bucket: str) -> Any:
    return s3.get_object(Bucket=bucket, Key="none")


@call
def object_with_a_wrong_content_md5(s3: Any, bucket: str) -> Any:
    return put(s3, bucket, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")


@call
def object_with_a_wrong_checksum(s3: Any, bucket: str) -> Any:
    return put(s3, bucket, ChecksumSHA256=checksum("SHA256", b"else"))


@call
def object_with_a_checksum(s3: Any, bucket: str) -> Any:
    put(s3, bucket, ChecksumAlgorithm="SHA256")
    return s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")


@call
def object_of_a_class_that_is_none(s3: Any, bucket: str) -> Any:
    return put(s3, bucket, StorageClass="LUKEWARM")


@call
def object_with_too_much_metadata(s3: Any, bucket: str) -> Any:
    return put(s3, bucket, Metadata={"a": "x" * 2048})


@call
def object_put_if_absent(s3: Any, bucket: str) -> Any:
    put(s3, bucket, IfNoneMatch="*")
    return put(s3, bucket, IfNoneMatch="*")


@call
def object_put_if_it_is_another(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return put(s3, bucket, IfMatch='"0123"')


@call
def object_put_if_it_is_there(s3: Any, bucket: str) -> Any:
    return put(s3, bucket, IfMatch='"0123"')


@call
def range_of_an_object(s3: Any, bucket: str) -> Any:
    put(s3, bucket, body=b"0123456789")
    return s3.get_object(Bucket=bucket, Key="key", Range="bytes=2-4")


@call
def range_at_the_end(s3: Any, bucket: str) -> Any:
    put(s3, bucket, body=b"0123456789")
    return s3.get_object(Bucket=bucket, Key="key", Range="bytes=-3")


@call
def range_past_the_end(s3: Any, bucket: str) -> Any:
    put(s3, bucket, body=b"0123456789")
    return s3.get_object(Bucket=bucket, Key="key", Range="bytes=10-20")


@call
def range_turned_round(s3: Any, bucket: str) -> Any:
    put(s3, bucket, body=b"0123456789")
    return s3.get_object(Bucket=bucket, Key="key", Range="bytes=5-2")


@call
def object_not_modified(s3: Any, bucket: str) -> Any:
    etag = put(s3, bucket)["ETag"]
    return s3.get_object(Bucket=bucket, Key="key", IfNoneMatch=etag)


@call
def object_that_does_not_match(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return s3.get_object(Bucket=bucket, Key="key", IfMatch='"0123"')


@call
def object_deleted(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return s3.delete_object(Bucket=bucket, Key="key")


@call
def object_deleted_with_versions(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    put(s3, bucket)
    return s3.delete_object(Bucket=bucket, Key="key"), s3.list_object_versions(Bucket=bucket)


@call
def object_under_a_delete_marker(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    put(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="key")
    return s3.get_object(Bucket=bucket, Key="key")


@call
def delete_marker_asked_for(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    put(s3, bucket)
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    return s3.get_object(Bucket=bucket, Key="key", VersionId=marker)


@call
def objects_deleted(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key"}, {"Key": "none"}]})


@call
def versions_while_suspended(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    put(s3, bucket)
    version(s3, bucket, "Suspended")
    put(s3, bucket)
    return put(s3, bucket), len(s3.list_object_versions(Bucket=bucket)["Versions"])


@call
def version_that_is_not_there(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    gone = put(s3, bucket)["VersionId"]
    put(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="key", VersionId=gone)
    return s3.get_object(Bucket=bucket, Key="key", VersionId=gone)


@call
def copy(s3: Any, bucket: str) -> Any:
    put(s3, bucket, Metadata={"a": "b"})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    return s3.head_object(Bucket=bucket, Key="copy")


@call
def copy_onto_itself(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    return s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")


@call
def copy_of_what_is_not_there(s3: Any, bucket: str) -> Any:
    return s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/none")


@call
def attributes(s3: Any, bucket: str) -> Any:
    put(s3, bucket, ChecksumAlgorithm="SHA1")
    wanted = ["ETag", "Checksum", "StorageClass", "ObjectSize"]
    return s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=wanted)


@call
def object_tags(s3: Any, bucket: str) -> Any:
    put(s3, bucket, Tagging="a=1&b=2")
    return s3.get_object_tagging(Bucket=bucket, Key="key")


@call
def too_many_object_tags(s3: Any, bucket: str) -> Any:
    put(s3, bucket)
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(11)]
    return s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": tags})


@call
def listing(s3: Any, bucket: str) -> Any:
    for key in ("a", "b/1", "b/2", "c d"):
        put(s3, bucket, key)
    return s3.list_objects_v2(Bucket=bucket, Delimiter="/", FetchOwner=True)


@call
def listing_of_version_1(s3: Any, bucket: str) -> Any:
    for key in ("a", "b/1", "b/2", "c"):
        put(s3, bucket, key)
    found = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2)
    return found, [one["Key"] for one in found.pop("Contents")]


@call
def listing_in_pages(s3: Any, bucket: str) -> Any:
    for key in ("a", "b/1", "b/2", "c"):
        put(s3, bucket, key)
    return list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
    )


@call
def listing_of_versions(s3: Any, bucket: str) -> Any:
    version(s3, bucket)
    for key in ("a", "a", "b"):
        put(s3, bucket, key)
    return s3.list_object_versions(Bucket=bucket, MaxKeys=2)


@call
def upload_completed(s3: Any, bucket: str) -> Any:
    named, parts = upload(s3, bucket, noise(PART), b"end")
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **named)
    return s3.head_object(Bucket=bucket, Key="key"), s3.head_object(Bucket=bucket, Key="key", PartNumber=2)


@call
def upload_with_a_small_part(s3: Any, bucket: str) -> Any:
    named, parts = upload(s3, bucket, b"small", b"end")
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **named)


@call
def upload_with_a_wrong_part(s3: Any, bucket: str) -> Any:
    named, _ = upload(s3, bucket, b"body")
    wrong = [{"PartNumber": 1, "ETag": '"d41d8cd98f00b204e9800998ecf8427e"'}]
    return s3.complete_multipart_upload(MultipartUpload={"Parts": wrong}, **named)


@call
def upload_with_parts_out_of_order(s3: Any, bucket: str) -> Any:
    named, parts = upload(s3, bucket, noise(PART), noise(PART))
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts[::-1]}, **named)


@call
def upload_aborted(s3: Any, bucket: str) -> Any:
    named, _ = upload(s3, bucket, b"body")
    s3.abort_multipart_upload(**named)
    return s3.list_parts(**named)


@call
def parts_listed(s3: Any, bucket: str) -> Any:
    named, _ = upload(s3, bucket, b"1", b"22")
    return s3.list_parts(**named)


@call
def uploads_listed(s3: Any, bucket: str) -> Any:
    upload(s3, bucket)
    return s3.list_multipart_uploads(Bucket=bucket)


@call
def part_copied(s3: Any, bucket: str) -> Any:
    put(s3, bucket, "from", b"0123456789")
    named, _ = upload(s3, bucket)
    source = {"CopySource": f"{bucket}/from", "CopySourceRange": "bytes=2-4"}
    return s3.upload_part_copy(PartNumber=1, **source, **named)
