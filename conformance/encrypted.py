"""Keys of a client's own, and whether anything on a disk can be read without one."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

KEY = bytes(range(32))
OTHER = bytes(range(100, 132))
SSE_S3 = {"ServerSideEncryption": "AES256"}


def own(key: bytes = KEY, prefix: str = "") -> dict[str, str]:
    """The arguments that boto3 takes for it; it works the MD5 out itself."""
    encoded = base64.b64encode(key).decode()
    return {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": encoded} | {
        f"{prefix}SSECustomerKeyMD5": md5(key)
    }


def source(key: bytes = KEY) -> dict[str, str]:
    return own(key, "CopySource")


def headers(key: bytes = KEY) -> dict[str, str]:
    stem = "x-amz-server-side-encryption-customer-"
    encoded = base64.b64encode(key).decode()
    return {f"{stem}algorithm": "AES256", f"{stem}key": encoded, f"{stem}key-MD5": md5(key)}


def md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key).digest()).decode()


def shown(answer: Any) -> tuple[str | None, str | None, str | None]:
    return tuple(answer.get(name) for name in ("ServerSideEncryption", "SSECustomerAlgorithm", "SSECustomerKeyMD5"))  # type: ignore[return-value]


def files_with(data: Path, text: bytes) -> list[str]:
    """Those of a data folder in which the text stands."""
    return [str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and text in path.read_bytes()]
