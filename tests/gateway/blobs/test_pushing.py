from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.blobs.pushing import push


def test_bytes_are_sent_to_the_disk(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(bytes(3_000_000))
        push(file.fileno(), 1_000_000, 1_500_000)
        push(file.fileno(), 2_500_000, 1_000_000)  # beyond its end


def test_what_the_kernel_refuses_is_an_error() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(OSError) as refused:
            push(write, 0, 1)
    finally:
        os.close(read)
        os.close(write)
    assert refused.value.errno == errno.ESPIPE
