from __future__ import annotations

from pathlib import Path

import pytest

from catalog import Catalog
from gateway.cli import main
from gateway.cli.status import size
from gateway.notifications.progress import Progress, save


def test_a_folder_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    assert main(["status"]) == 0
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[2:])
    assert printed["server"] == "not running"
    assert printed["index"] == "sequence number 1"
    assert printed["users"] == "1"
    assert printed["log/"].endswith("iB")


def test_how_far_notifications_are(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Catalog.open(data).release()
    save(data, {"b": Progress(4), "a": Progress(3, failures=2, error="it answered 500")})
    assert main(["status"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("notifications")]
    assert [" ".join(line.split()) for line in lines] == [
        "notifications to a up to sequence number 3, failing: it answered 500",
        "notifications to b up to sequence number 4",
    ]


def test_sizes_read_well() -> None:
    assert [size(count) for count in (0, 1023, 1024, 1536, 5 << 30, 3 << 50)] == [
        *("0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 GiB", "3072.0 TiB")
    ]
