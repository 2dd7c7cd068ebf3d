from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.content import MIB, PART, etag, multipart_etag, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server


def test_parts_become_the_object(s3: Any, bucket: str) -> None:
    bodies = [noise(PART, 1), noise(PART + 7, 2), b"a short last part"]
    answer = Upload.begin(s3, bucket).put(*bodies).complete()
    assert (answer["Bucket"], answer["Key"], answer["ETag"]) == (bucket, "key", multipart_etag(*bodies))
    found = s3.get_object(Bucket=bucket, Key="key")
    assert (found["ETag"], found["ContentLength"]) == (multipart_etag(*bodies), sum(map(len, bodies)))
    assert found["Body"].read() == b"".join(bodies)


def test_location_is_where_the_object_is(s3: Any, server: Server, bucket: str) -> None:
    location = Upload.begin(s3, bucket, "a/key").put(b"body").complete()["Location"]
    assert urlsplit(location).netloc == f"{server.host}:{server.port}"
    assert urlsplit(location).path in (f"/{bucket}/a/key", f"/{bucket}/a%2Fkey")


def test_body_is_the_element_aws_sends(raw: Raw, s3: Any, bucket: str) -> None:
    # Clients differ in quoting: with quotes, escaped or not at all.
    for mark in ('"', "&quot;", ""):
        upload = Upload.begin(s3, bucket).put(b"body")
        part = f"<Part><PartNumber>1</PartNumber><ETag>{mark}{etag(b'body')[1:-1]}{mark}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
        answer = raw.post(f"/{bucket}/key", body, {"uploadId": upload.id})
        assert answer.status == 200
        assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}CompleteMultipartUploadResult"
        assert answer.text("ETag") == multipart_etag(b"body")


def test_parts_may_be_left_out_and_numbers_may_have_gaps(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    upload.put(noise(PART, 1), first=3).put(noise(PART, 2), first=7).put(b"end", first=9000)
    upload.complete([upload.parts[0], upload.parts[2]])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == noise(PART, 1) + b"end"
    assert s3.head_object(Bucket=bucket, Key="key", PartNumber=2)["ContentLength"] == 3


def test_ranges_and_parts_of_the_object(s3: Any, bucket: str) -> None:
    bodies = [noise(PART, 1), noise(PART, 2), noise(1000, 3)]
    whole = b"".join(bodies)
    Upload.begin(s3, bucket).put(*bodies).complete()
    for start, end in ((PART - 1, PART), (0, len(whole) - 1), (PART * 2 - 5, PART * 2 + 5), (17, 17)):
        found = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={start}-{end}")
        assert found["Body"].read() == whole[start : end + 1]
    for number, body in enumerate(bodies, 1):
        found = s3.get_object(Bucket=bucket, Key="key", PartNumber=number)
        assert (found["Body"].read() == body, found["PartsCount"]) == (True, 3)
        assert s3.head_object(Bucket=bucket, Key="key", PartNumber=number)["ContentLength"] == len(body)
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key="key", PartNumber=4)


def test_parts_out_of_order_are_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(noise(PART), b"end")
    with refused("InvalidPartOrder", 400):
        upload.complete(upload.parts[::-1])
    with refused("InvalidPartOrder", 400):
        upload.complete([upload.parts[0], upload.parts[0]])
    upload.complete()


def test_part_that_is_too_small_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(noise(PART - 1), b"end")
    with refused("EntityTooSmall", 400) as error:
        upload.complete()
    assert (error["ProposedSize"], error["MinSizeAllowed"]) == (str(PART - 1), str(PART))
    assert (error["PartNumber"], error["ETag"]) == ("1", upload.parts[0]["ETag"].strip('"'))


@pytest.mark.parametrize("wrong", [{"PartNumber": 2}, {"ETag": etag(b"else")}], ids=["number", "ETag"])
def test_part_that_is_not_there_is_refused(s3: Any, bucket: str, wrong: dict[str, Any]) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    with refused("InvalidPart", 400):
        upload.complete([upload.parts[0] | wrong])
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")
    upload.complete()


@pytest.mark.parametrize("body", [b"", b"not xml", b"<CompleteMultipartUpload/>", b"<Other/>"])
def test_body_that_names_no_part_is_refused(raw: Raw, s3: Any, bucket: str, body: bytes) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    answer = raw.post(f"/{bucket}/key", body, {"uploadId": upload.id})
    assert (answer.status, answer.code) in ((400, "MalformedXML"), (400, "InvalidRequest"))


def test_no_body_is_no_part(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    answer = raw.post(f"/{bucket}/key", b"", {"uploadId": upload.id})
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    answer = raw.post(f"/{bucket}/key", b"", {"uploadId": "no-such-upload"})
    assert (answer.status, answer.code) == (404, "NoSuchUpload")


def test_repeating_it_gives_the_same_answer(s3: Any, bucket: str) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    upload = Upload.begin(s3, bucket).put(b"body")
    first, again = upload.complete(), upload.complete()
    assert (first["ETag"], first["Location"]) == (again["ETag"], again["Location"])


def test_upload_ends_with_it(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    upload.complete()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with refused("NoSuchUpload", 404):
        upload.put(b"more")
    with refused("NoSuchUpload", 404):
        s3.list_parts(**upload.named)


def test_upload_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchUpload", 404):
        Upload(s3, bucket, "key", "none", [{"PartNumber": 1, "ETag": etag(b"")}]).complete()


def test_versioned_bucket_gives_the_object_a_version(s3: Any, versioned: str) -> None:
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    new = Upload.begin(s3, versioned).put(b"new").complete()["VersionId"]
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == new
    assert s3.get_object(Bucket=versioned, Key="key", VersionId=old)["Body"].read() == b"old"


def test_size_is_checked_when_given(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    with refused("InvalidRequest", 400):
        upload.complete(MpuObjectSize=5)
    with refused("InvalidRequest", 400) as error:
        upload.complete(MpuObjectSize=-1)
    assert error["Message"] == "Value for x-amz-mp-object-size header is less than zero: '-1'"
    upload.complete(MpuObjectSize=4)


def test_if_none_match(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"mine")
    s3.put_object(Bucket=bucket, Key="key", Body=b"sooner")
    with refused("PreconditionFailed", 412):
        upload.complete(IfNoneMatch="*")
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"sooner"
    s3.delete_object(Bucket=bucket, Key="key")
    Upload.begin(s3, bucket).put(b"mine").complete(IfNoneMatch="*")


def test_if_match_of_what_came_since_the_upload_began(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    upload = Upload.begin(s3, bucket).put(b"part")
    time.sleep(0.002)  # times are in milliseconds
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"old")["ETag"]
    with refused("PreconditionFailed", 412):
        upload.complete(IfMatch=etag(b"else"))
    with refused("ConditionalRequestConflict", 409) as error:
        upload.complete(IfMatch=put)
    assert (error["Condition"], error["Key"]) == ("If-Match", "key")
    Upload.begin(s3, bucket).put(b"part").complete(IfMatch=put)


def test_if_match(s3: Any, bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="key", Body=b"old")["ETag"]
    upload = Upload.begin(s3, bucket).put(b"new")
    with refused("PreconditionFailed", 412):
        upload.complete(IfMatch=etag(b"else"))
    upload.complete(IfMatch=old)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"new"
    with refused("NoSuchKey", 404):
        Upload.begin(s3, bucket, "none").put(b"new").complete(IfMatch=old)


def test_many_parts_at_once(s3: Any, bucket: str, server: Server) -> None:
    client = server.client(max_pool_connections=8)
    upload = Upload.begin(client, bucket)
    bodies = {number: noise(PART, number) for number in range(1, 5)}

    def put(number: int) -> dict[str, Any]:
        answer = client.upload_part(PartNumber=number, Body=bodies[number], **upload.named)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(put, bodies))
    assert upload.complete(parts)["ETag"] == multipart_etag(*bodies.values())
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"".join(bodies.values())


def test_of_racing_completers_all_get_the_same(two_workers: Server) -> None:
    s3 = two_workers.client(max_pool_connections=8)
    s3.create_bucket(Bucket="complete-race")
    for _ in range(5):
        upload = Upload.begin(s3, "complete-race").put(noise(MIB))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _, upload=upload: upload.complete()["ETag"], range(8)))
        assert set(answers) == {multipart_etag(noise(MIB))}


def copied(s3: Any, bucket: str, count: int) -> Upload:
    """An upload of so many parts, all of the same bytes."""
    s3.put_object(Bucket=bucket, Key="from", Body=noise(PART))
    upload = Upload.begin(s3, bucket)
    for number in range(1, count + 1):
        answer = s3.upload_part_copy(PartNumber=number, CopySource=f"{bucket}/from", **upload.named)
        upload.parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    return upload


def test_eighty_parts(s3: Any, bucket: str) -> None:
    copied(s3, bucket, 80).complete()
    found = s3.head_object(Bucket=bucket, Key="key", PartNumber=80)
    assert (found["PartsCount"], found["ContentLength"]) == (80, PART)
    assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 80 * PART


def test_one_part_of_many_that_is_wrong(raw: Raw, s3: Any, bucket: str) -> None:
    upload = copied(s3, bucket, 80)

    def complete(right: str = "", wrong: str = "") -> Any:
        parts = "".join(
            f"<Part><PartNumber>{part['PartNumber']}</PartNumber><ETag>{part['ETag']}</ETag></Part>"
            for part in upload.parts
        )
        assert not right or parts.count(right) == 1
        body = f"<CompleteMultipartUpload>{parts.replace(right, wrong) if right else parts}</CompleteMultipartUpload>"
        return raw.post(f"/{bucket}/key", body.encode(), {"uploadId": upload.id})

    number = "<PartNumber>41</PartNumber>"
    answer = complete(f"{number}<ETag>{etag(noise(PART))}", f"{number}<ETag>{etag(b'')}")
    assert (answer.status, answer.code) == (400, "InvalidPart")
    assert (answer.text("PartNumber"), answer.text("ETag")) == ("41", etag(b"")[1:-1])
    for wrong, code in (
        ("<PartNumber>40</PartNumber>", "InvalidPartOrder"),
        ("<PartNumber>81</PartNumber>", "InvalidPartOrder"),
        ("<PartNumber>4l</PartNumber>", "MalformedXML"),
        ("", "MalformedXML"),
        (number * 2, "MalformedXML"),
        (f"{number}<ChecksumCRC32>AAAA</ChecksumCRC32>", "InvalidArgument"),
    ):
        answer = complete(number, wrong)
        assert (answer.status, answer.code) == (400, code)
    assert complete(number, f"{number}<Unknown><Of>all</Of></Unknown>").status == 200
    assert complete().text("ETag") == multipart_etag(*[noise(PART)] * 80)
