"""What is compiled, and that all works where nothing could be."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parent.parent
LEAST_PART = 5 << 20  # bytes


def load() -> ModuleType:
    found = importlib.util.spec_from_file_location("ducket_setup", ROOT / "setup.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_without_a_compiler_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = load()
    monkeypatch.setenv("PATH", "/nowhere")
    assert setup.extensions() == []


def test_compiling_can_be_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = load()
    monkeypatch.setenv("DUCKET_COMPILE", "0")
    assert setup.extensions() == []


@pytest.mark.parametrize("path", load().COMPILED)
def test_nothing_asynchronous_is_compiled(path: str) -> None:
    """But for what only declares a type."""
    declared = {
        method
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.AsyncFunctionDef)
        for method in node.body
    }
    assert all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in declared)


@pytest.mark.parametrize("path", load().COMPILED)
def test_no_compiled_class_inherits_from_an_exception_or_a_library(path: str) -> None:
    """A compiled exception leaks its attributes; and mypyc, which is not shown libraries, makes what crashes."""
    tree = ast.parse((ROOT / path).read_text())
    strange = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        not in {*sys.stdlib_module_names, "catalog", "gateway"}
    }
    bases = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        for name in ast.walk(base)
        if isinstance(name, ast.Name)
    }
    types = {name: held for name, held in vars(builtins).items() if isinstance(held, type)}
    exceptions = {name for name, held in types.items() if issubclass(held, BaseException)}
    assert not bases & (strange | exceptions)


@pytest.fixture
def interpreted(tmp_path: Path) -> Iterator[str]:
    """The address of a server that runs on copies of the Python files alone."""
    for package in ("catalog", "gateway"):
        ignored = shutil.ignore_patterns("*.so", "compiled.sha256", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "DUCKET_ROOT_ACCESS_KEY": "root",
        "DUCKET_ROOT_SECRET_KEY": "rootroot",
    }
    asking = [sys.executable, "-c", "import gateway; print(gateway.__file__, gateway.COMPILED)"]
    asked = subprocess.run(asking, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert asked.stdout == f"{tmp_path}/gateway/__init__.py False\n"
    serving = [sys.executable, "-m", "gateway.cli", "serve", "--data", "data", "--port", "0", "--workers", "1"]
    with subprocess.Popen(serving, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()
        assert server.wait() == 0


def test_python_alone_serves(interpreted: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=interpreted,
        region_name="us-east-1",
        aws_access_key_id="root",
        aws_secret_access_key="rootroot",
        config=Config(retries={"total_max_attempts": 1}),
    )
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="bucket", Key="a/ä b", Body=b"first", Metadata={"owner": "x"})["VersionId"]
    s3.put_object(Bucket="bucket", Key="a/ä b", Body=b"second")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="large")["UploadId"]
    named = {"Bucket": "bucket", "Key": "large", "UploadId": upload}
    bodies = [b"1" * LEAST_PART, b"2" * 100]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=body, **named)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **named)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["a/ä b", "large"]
    assert s3.get_object(Bucket="bucket", Key="a/ä b")["Body"].read() == b"second"
    assert s3.head_object(Bucket="bucket", Key="a/ä b", VersionId=first)["Metadata"] == {"owner": "x"}
    across = f"bytes={LEAST_PART - 2}-{LEAST_PART + 1}"
    assert s3.get_object(Bucket="bucket", Key="large", Range=across)["Body"].read() == b"1122"
    s3.delete_object(Bucket="bucket", Key="large")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="bucket", Key="large")
