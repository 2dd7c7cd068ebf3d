from __future__ import annotations

from botocore.loaders import Loader

from gateway.s3.extensions import OPERATIONS, SHAPES, extended


def test_s3_s_own_operations_stay_as_they_are() -> None:
    model = Loader().load_service_model("s3", "service-2")
    before = {name: dict(each) for name, each in model["operations"].items()}
    found = extended(model)
    assert not OPERATIONS.keys() & before.keys() and not SHAPES.keys() & model["shapes"].keys()
    assert found["operations"] == before | OPERATIONS
    assert model["operations"].keys() == before.keys()
