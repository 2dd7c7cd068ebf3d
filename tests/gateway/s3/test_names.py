from __future__ import annotations

import pytest

from gateway.s3.names import named, python_name


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("ETag", "etag"),
        ("VersionId", "version_id"),
        ("ChecksumCRC32C", "checksum_crc32_c"),
        ("ChecksumCRC64NVME", "checksum_crc64_nvme"),
        ("SSECustomerKeyMD5", "sse_customer_key_md5"),
        ("ListObjectsV2", "list_objects_v2"),
        ("MFADelete", "mfa_delete"),
    ],
)
def test_python_name(name, snake):
    assert python_name(name) == snake


def test_a_closure_bears_its_name():
    assert named(lambda: None, "parse_key").__qualname__ == "parse_key"
