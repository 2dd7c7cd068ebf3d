from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from gateway.cli import main

ROOT = Path(__file__).parents[3]


def test_the_answer_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    assert main(["sql", "SELECT 1 AS one, 'text' AS two"]) == 0
    assert capsys.readouterr().out.splitlines() == ["one  two", "---  ----", "  1  text", "(1 row)"]


def test_a_query_that_fails_is_told_in_the_database_s_words(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    assert main(["sql", "SELECT nonsense"]) == 1
    assert "nonsense" in capsys.readouterr().err


def test_there_has_to_be_a_catalog(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "SELECT 1"]) == 1
    assert "there is no catalog" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("csv", '"n","t"\n1,"x"\n'),
        ("jsonl", '{"n":1,"t":"x"}\n'),
        ("json", '[\n{"n":1,"t":"x"}\n]\n'),
        ("table", "n  t\n-  -\n1  x\n(1 row)\n"),
    ],
)
def test_a_result_is_written_as_asked(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, form: str, written: str
) -> None:
    main(["user", "create", "alice"])
    capfdbinary.readouterr()
    statement = ["sql", "SELECT 1 AS n, 'x' AS t", "--format", form]
    assert main([*statement, "--output", str(tmp_path / "result")]) == 0
    assert (tmp_path / "result").read_text() == written
    assert main(statement) == 0
    assert capfdbinary.readouterr().out.decode() == written


def test_a_table_ends_where_nobody_would_read_on(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    assert main(["sql", "FROM range(1_000_000_000)"]) == 0
    *lines, count = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1].strip()) == (10_002, "9999")
    assert count == "(the first 10000 rows; csv and the other formats have all)"
    assert main(["sql", "FROM range(10_000)"]) == 0
    assert capsys.readouterr().out.endswith("\n(10000 rows)\n")


def test_parquet_and_arrow_are_files(tmp_path: Path) -> None:
    main(["user", "create", "alice"])
    for form, read in (("parquet", parquet.read_table), ("arrow", lambda file: pa.ipc.open_stream(file).read_all())):
        file = tmp_path / form
        assert main(["sql", "FROM range(20000)", "--format", form, "--output", str(file)]) == 0
        assert read(file)["range"].to_pylist() == list(range(20_000))


def test_the_statement_may_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1\n  AS one;\n"))
    assert main(["sql"]) == 0
    assert "(1 row)" in capsys.readouterr().out


@pytest.mark.parametrize("end", [b"\x04", b"exit\n", b"Quit;\n"])
def test_at_a_terminal_there_is_a_prompt(end: bytes) -> None:
    main(["user", "create", "alice"])
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "gateway.cli", "sql", "--data", str(Path("data").resolve())]
    with subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        os.write(leader, b"SELECT 40 +\n2 AS answer;\nSELECT nonsense;\nSELECT 'on' AS goes;\n" + end)
        out, err = running.communicate()
    os.close(leader)
    os.close(follower)
    assert running.returncode == 0
    assert b"answer\n------\n    42\n(1 row)\n" in out and b"goes" in out
    assert b"nonsense" in err


def test_a_user_s_eyes_see_the_user_s_buckets(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    assert main(["sql", "SELECT count(*) AS n FROM journal", "--user", "alice", "--format", "csv"]) == 0
    assert main(["sql", "SELECT count(*) AS n FROM journal", "--format", "csv"]) == 0
    assert main(["sql", "SELECT 1", "--user", "bob"]) == 1
    assert capsys.readouterr() == ('"n"\n0\n"n"\n1\n', "ducket: there is no user bob\n")


def test_a_file_that_could_not_be_written_whole_is_not_left(tmp_path: Path) -> None:
    main(["user", "create", "alice"])
    statement = "SELECT CAST(if(range = 40000, 'x', '1') AS INTEGER) AS n FROM range(50000)"
    assert main(["sql", statement, "--format", "csv", "--output", str(tmp_path / "result")]) == 1
    assert not (tmp_path / "result").exists()


def test_who_reads_the_output_may_stop_early() -> None:
    main(["user", "create", "alice"])
    data = str(Path("data").resolve())
    command = [sys.executable, "-m", "gateway.cli", "sql", "FROM range(3000000)", "--format", "csv", "--data", data]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline() == b'"range"\n'
        running.stdout.close()
        assert running.wait() == 1
        assert running.stderr.read() == b""
