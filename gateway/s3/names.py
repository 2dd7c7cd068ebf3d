"""Names: of a model's member in Python, and of a closure, so that a traceback reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore import xform_name

Function = TypeVar("Function", bound=Callable[..., object])


def python_name(name: str) -> str:
    """boto3's own snake case, but for `etag`: `ChecksumCRC32C` → `checksum_crc32_c`."""
    snake: str = xform_name(name)
    return snake.replace("e_tag", "etag")


def named(function: Function, name: str) -> Function:
    function.__name__ = function.__qualname__ = name
    return function
