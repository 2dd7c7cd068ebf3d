"""Virtual-host style: the bucket in the Host header.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.raw import Raw, Request
from conformance.server import Server, boto3_client, running

DOMAIN = "s3.ducket.test"


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("hosted") / "data", "--domains", DOMAIN) as server:
        server.client().create_bucket(Bucket="hosted")
        yield server


def prepare(raw: Raw, method: str, bucket: str, path: str, query: Any = None, body: bytes = b"") -> Request:
    host = f"{bucket}.{DOMAIN}" if bucket else DOMAIN
    return raw.prepare(method, path, query, {"Host": f"{host}:{raw.server.port}"}, body)


def test_bucket_in_the_host(hosted: Server) -> None:
    raw = Raw(hosted)
    assert raw.send(prepare(raw, "PUT", "hosted", "/a/key", body=b"body")).status == 200
    assert raw.send(prepare(raw, "GET", "hosted", "/a/key")).body == b"body"
    assert raw.get("/hosted/a/key").body == b"body"
    answer = raw.send(prepare(raw, "GET", "hosted", "/", {"list-type": "2"}))
    assert answer.text("Contents/Key") == "a/key"


def test_host_is_not_case_sensitive(hosted: Server) -> None:
    raw = Raw(hosted)
    request = raw.prepare("HEAD", "/", headers={"Host": f"HOSTED.{DOMAIN.upper()}"})
    assert raw.send(request).status == 200


def test_bare_domain_is_path_style(hosted: Server) -> None:
    raw = Raw(hosted)
    assert raw.send(prepare(raw, "GET", "", "/")).text("Buckets/Bucket/Name") == "hosted"
    assert raw.send(prepare(raw, "HEAD", "", "/hosted")).status == 200


def test_bucket_with_dots(hosted: Server) -> None:
    raw = Raw(hosted)
    assert raw.send(prepare(raw, "PUT", "with.dots", "/")).status == 200
    assert raw.head("/with.dots").status == 200


def test_key_with_a_leading_slash(hosted: Server) -> None:
    raw = Raw(hosted)
    assert raw.send(prepare(raw, "PUT", "hosted", "//leading", body=b"x")).status == 200
    assert raw.get("/hosted//leading").body == b"x"


def test_key_named_as_the_bucket(hosted: Server) -> None:
    raw = Raw(hosted)
    assert raw.send(prepare(raw, "PUT", "hosted", "/hosted", body=b"x")).status == 200
    assert raw.get("/hosted/hosted").body == b"x"


def test_other_hosts_are_path_style(hosted: Server) -> None:
    raw = Raw(hosted)
    request = raw.prepare("HEAD", "/hosted", headers={"Host": "elsewhere.example.com"})
    assert raw.send(request).status == 200


def test_presigned(hosted: Server) -> None:
    raw = Raw(hosted)
    headers = {"Host": f"hosted.{DOMAIN}"}
    assert raw.send(raw.presign("PUT", "/presigned", headers=headers, body=b"x")).status == 200
    assert raw.get("/hosted/presigned").body == b"x"


def test_presigned_by_version_2(hosted: Server) -> None:
    raw = Raw(hosted)
    client = boto3_client(f"http://{DOMAIN}", hosted.keys, signature_version="s3", s3={"addressing_style": "virtual"})
    for method, verb in (("put_object", "PUT"), ("get_object", "GET")):
        url = urlsplit(client.generate_presigned_url(method, {"Bucket": "hosted", "Key": "version 2"}))
        assert url.netloc == f"hosted.{DOMAIN}"
        body = b"x" if verb == "PUT" else b""
        answer = raw.send(raw.plain(verb, f"{url.path}?{url.query}", {"Host": url.netloc}, body))
        assert answer.status == 200
    assert answer.body == b"x"


def test_multipart_location_is_of_that_host(hosted: Server) -> None:
    raw = Raw(hosted)
    upload = raw.send(prepare(raw, "POST", "hosted", "/big", {"uploads": ""})).text("UploadId") or ""
    part = raw.send(prepare(raw, "PUT", "hosted", "/big", {"uploadId": upload, "partNumber": "1"}, b"x"))
    etag = part.header("etag")
    body = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    answer = raw.send(prepare(raw, "POST", "hosted", "/big", {"uploadId": upload}, body.encode()))
    assert answer.status == 200
    assert (answer.text("Location") or "").startswith(f"http://hosted.{DOMAIN}")
