"""A folder of files such as people have, and what to compare it by."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from conformance.content import MIB, noise

ODD_NAMES = [
    "with space.txt",
    "with  two spaces",
    "ünïcödé.txt",
    "日本語.txt",
    "emoji-😀.txt",
    "per%cent.txt",
    "looks%20encoded",
    "plus+sign",
    "amper&sand=equals",
    "hash#question",
    "semi;colon,comma",
    "quote'd",
    "paren(theses) [brackets] {braces}",
    "tilde~star",
    "at@colon",
    ".hidden",
    "no-extension",
    "UPPER.TXT",
    "trailing.dot.",
    "-dash-first",
]


def plant(root: Path) -> Path:
    for number, name in enumerate(ODD_NAMES):
        write(root / name, noise(number * 10, number))
        write(root / "deep folder" / f"{number}" / name, name.encode())
    for number in range(120):
        write(root / "many" / f"{number % 7}" / f"file-{number}.bin", noise(number * 37, number))
    for number in range(5):
        write(root / "empty" / f"empty-{number}", b"")
    write(root / "middling.bin", noise(3 * MIB, 1))
    write(root / "large.bin", noise(18 * MIB + 5, 2))
    return root


def change(root: Path) -> None:
    """New files, changed ones, others gone. Sizes change too: some clients compare nothing else."""
    write(root / "new" / "added file", b"added")
    write(root / "with space.txt", b"changed, and longer than it was before")
    write(root / "middling.bin", noise(2 * MIB, 3))
    for gone in ("plus+sign", "per%cent.txt", "many/0/file-0.bin", "deep folder/2/ünïcödé.txt"):
        (root / gone).unlink()


def picture(root: Path) -> dict[str, str]:
    """Each file under the folder with the digest of its content."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # A minute old: what is younger than the second it was uploaded in, aws-cli takes for changed since.
    when = time.time() - 60
    os.utime(path, (when, when))
