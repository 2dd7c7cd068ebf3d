"""A quirk about something that the model does not have is dead, or a typing error: every name in them is looked up."""

from __future__ import annotations

import pytest

from gateway.s3 import quirks


@pytest.fixture
def wire_names(table):
    """The names of all headers and parameters, lower case and as they are."""
    names = set()
    for operation in table.operations.values():
        shape = operation._model.input_shape
        for member in shape.members.values() if shape else ():
            name = member.serialization.get("name", "")
            names |= {name, name.lower()}
    return names


@pytest.mark.parametrize(
    "quirk",
    [
        "SUPERSEDED",
        "EXTRA_NEEDS",
        "CHECKSUM_REQUIRED",
        "BODY_LIMITS",
        "REFUSED_QUERY",
        "ROOTS",
        "BARE_ROOTS",
        "ORDER",
        "STATUSES",
    ],
)
def test_operations_exist(table, quirk):
    assert set(getattr(quirks, quirk)) <= table.operations.keys()


@pytest.mark.parametrize(
    "quirk",
    [
        "HARMLESS",
        "HARMLESS_WITH_DOCUMENT",
        "TEXT_TIMES",
        "INTEGERS",
        "LENIENT_INTEGERS",
        "ENUMS",
        "MISSING",
        "NOT_EMPTY",
    ],
)
def test_headers_and_parameters_exist(wire_names, quirk):
    assert set(getattr(quirks, quirk)) <= wire_names


def test_members_written_first_exist(table):
    for name, members in quirks.ORDER.items():
        assert set(members) <= table.operations[name]._model.output_shape.members.keys()


def test_shapes_exist(table):
    model = next(iter(table.operations.values()))._model.service_model
    assert {*quirks.FREE_ENUMS, *quirks.PLAIN_ETAGS} <= set(model.shape_names)
