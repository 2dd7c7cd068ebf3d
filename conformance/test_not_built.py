"""An operation that is not built says so by its name; nothing is dropped in silence."""

from __future__ import annotations

import importlib
import json
from typing import Any

from botocore.loaders import Loader

from conformance.raw import Raw

# They come to endpoints of their own: there ListDirectoryBuckets is the same request as ListBuckets here.
ELSEWHERE = {"WriteGetObjectResponse", "ListDirectoryBuckets"}


def built() -> set[str]:
    importlib.import_module("gateway.operations").load()
    model = importlib.import_module("gateway.s3.model")
    return {name for name, operation in model.operations.items() if operation.handler is not None}


def service_model() -> dict[str, Any]:
    loaded = Loader().load_service_model("s3", "service-2")
    assert isinstance(loaded, dict)
    return loaded


def not_built() -> list[str]:
    # What is superseded is the same request as what took its place.
    superseded: frozenset[str] = importlib.import_module("gateway.s3.quirks").SUPERSEDED
    return sorted(set(service_model()["operations"]) - built() - ELSEWHERE - superseded)


def request_for(name: str, bucket: str) -> tuple[str, str, dict[str, str], dict[str, str]]:
    """The barest request that names the operation, from the service model: method, path, query, headers."""
    model = service_model()
    operation = model["operations"][name]
    uri, _, query_text = operation["http"]["requestUri"].partition("?")
    path = uri.replace("{Bucket}", bucket).replace("{Key+}", "key")
    query = dict(pair.partition("=")[::2] for pair in query_text.split("&") if pair)
    headers = {}
    shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
    for member in shape.get("required", ()):
        place = shape["members"][member]
        if place.get("location") == "querystring":
            query[place["locationName"]] = "1"
        elif place.get("location") == "header":
            headers[place["locationName"]] = "x"
    return operation["http"]["method"], path, query, headers


def pytest_generate_tests(metafunc: Any) -> None:
    if "unbuilt" in metafunc.fixturenames:
        metafunc.parametrize("unbuilt", not_built())


def test_answers_not_implemented_and_names_itself(raw: Raw, bucket: str, unbuilt: str) -> None:
    method, path, query, headers = request_for(unbuilt, bucket)
    answer = raw.send(raw.prepare(method, path, query, headers))
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert unbuilt in (answer.text("Message") or "") + json.dumps(answer.texts("Operation"))
