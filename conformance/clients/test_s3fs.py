from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import s3fs  # type: ignore[import-untyped]

from conformance.clients.tree import ODD_NAMES, picture
from conformance.content import MIB, noise
from conformance.server import REGION, Server


@pytest.fixture
def files(server: Server) -> Any:
    return s3fs.S3FileSystem(
        key=server.keys.access,
        secret=server.keys.secret,
        client_kwargs={"endpoint_url": server.url, "region_name": REGION},
        config_kwargs={"s3": {"addressing_style": "path"}},
        skip_instance_cache=True,
        use_listings_cache=False,
    )


@pytest.fixture
def mine(bucket: str) -> str:
    """Not made by s3fs: this one names us-east-1 as a location constraint, which AWS refuses as well."""
    return bucket


def test_folders_there_and_back(files: Any, mine: str, tree: Path, tmp_path: Path) -> None:
    files.put(str(tree / "many"), f"{mine}/many", recursive=True)
    assert len(files.find(mine)) == len(picture(tree / "many"))
    files.get(f"{mine}/many", str(tmp_path / "back"), recursive=True)
    assert picture(tmp_path / "back") == picture(tree / "many")
    files.rm(mine, recursive=True)
    assert not files.exists(mine)


def test_odd_names(files: Any, mine: str) -> None:
    for name in ODD_NAMES:
        with files.open(f"{mine}/folder/{name}", "wb") as file:
            file.write(name.encode())
    assert sorted(files.ls(f"{mine}/folder")) == sorted(f"{mine}/folder/{name}" for name in ODD_NAMES)
    for name in ODD_NAMES:
        with files.open(f"{mine}/folder/{name}", "rb") as file:
            assert file.read() == name.encode()


def test_large_file_is_written_in_parts_and_read_in_ranges(files: Any, mine: str) -> None:
    body = noise(13 * MIB)
    with files.open(f"{mine}/large", "wb", block_size=5 * MIB) as file:
        file.write(body)
    assert files.info(f"{mine}/large")["size"] == len(body)
    with files.open(f"{mine}/large", "rb", block_size=MIB) as file:
        file.seek(6 * MIB - 10)
        assert file.read(20) == body[6 * MIB - 10 : 6 * MIB + 10]
        file.seek(-5, 2)
        assert file.read() == body[-5:]


def test_copy_move_and_glob(files: Any, mine: str) -> None:
    files.pipe(f"{mine}/a/1.txt", b"1")
    files.copy(f"{mine}/a/1.txt", f"{mine}/a/2.txt")
    files.mv(f"{mine}/a/1.txt", f"{mine}/b/1.txt")
    assert files.glob(f"{mine}/*/*.txt") == [f"{mine}/a/2.txt", f"{mine}/b/1.txt"]
    assert files.isdir(f"{mine}/a")
    assert not files.exists(f"{mine}/a/1.txt")


def test_what_is_missing_is_a_file_not_found(files: Any, mine: str) -> None:
    with pytest.raises(FileNotFoundError):
        files.open(f"{mine}/none", "rb")
