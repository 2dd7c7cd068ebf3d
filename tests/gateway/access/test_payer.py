from __future__ import annotations

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from catalog.records import User
from gateway.access.payer import PAID, REQUESTER, SETTING, agrees, requester_pays
from tests.gateway.access.asking import ALICE, BOB, ask, bucket_of

NOBODY = User("", "", "", "")
# Answered with what no bucket has, or asked of a bucket's owner as a rule.
FREE = {"GetBucketAccelerateConfiguration", "PutObjectLockConfiguration", "UpdateObjectEncryption"}


def test_what_is_paid_for_is_what_a_client_can_say_it_with() -> None:
    model = ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    can = {name for name, shape in shapes.items() if shape is not None and "RequestPayer" in shape.members}
    assert PAID - {"PostObject"} == {name for name in can if "Annotation" not in name} - FREE


@pytest.mark.parametrize(
    ("caller", "said", "expected"),
    [(BOB, "requester", True), (BOB, "Requester", True), (BOB, "owner", False), (NOBODY, "requester", False)],
)
def test_who_agrees(caller: User, said: str, expected: bool) -> None:
    assert agrees(ask(caller=caller, x_amz_request_payer=said)) is expected
    assert not agrees(ask(caller=caller))


def test_where_the_requester_pays() -> None:
    assert requester_pays(bucket_of({SETTING: REQUESTER}))
    assert not requester_pays(bucket_of()) and not requester_pays(bucket_of({"policy": "{}"}))
    assert ALICE.id == bucket_of().owner
