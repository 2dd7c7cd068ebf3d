from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.records import Bucket
from gateway.access.actions import KNOWN
from gateway.access.document import FIELDS, STATEMENT_FIELDS, Document, read_document
from gateway.access.operators import NEGATED, OPERATORS
from gateway.access.policy import Policy, Verdict
from gateway.s3.errors import S3Error
from tests.gateway.access.asking import USERS, ask, filled


def read(text: str) -> Document:
    return read_document(text, "b", lambda kind, name: USERS.get(f"{kind}:{name}"))


def refused(text: str) -> str:
    with pytest.raises(S3Error) as caught:
        read(text)
    assert (caught.value.code, caught.value.status) == ("MalformedPolicy", 400)
    return caught.value.message


def refused_statement(**given: Any) -> str:
    return refused(json.dumps({"Version": "2012-10-17", "Statement": [filled(given)]}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        (" {}", "Policies must be valid JSON and the first byte must be '{'"),
        ("false", "Policies must be valid JSON and the first byte must be '{'"),
        ("{true}", "This policy contains invalid Json"),
        ('{"Statement": [', "This policy contains invalid Json"),
        ('{"Statement": [], "Statement": []}', "This policy contains invalid Json"),
        ('{"Statement": [NaN]}', "This policy contains invalid Json"),
        ('{"a":' * 4000, "This policy contains invalid Json"),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Could not parse the policy: Statement is empty!"),
        ('{"Statement": ["x"]}', "Could not parse the policy: Statement is empty!"),
        ('{"Version": "2012-10-18", "Statement": []}', "The policy must contain a valid version string"),
        ('{"Version": 2012, "Statement": []}', "The policy must contain a valid version string"),
        ('{"Shoes": 1, "Statement": []}', "Unknown field Shoes"),
        ('{"Id": 1, "Statement": []}', "This policy contains invalid Json"),
        ("{" + " " * 20480, "Policy exceeds the maximum allowed document size."),
    ],
)
def test_documents_that_are_refused(text: str, message: str) -> None:
    assert refused(text) == message


INVALID_PRINCIPAL = "Invalid principal in policy"
INVALID_ACTION = "Policy has invalid action"
INVALID_RESOURCE = "Policy has invalid resource"
NO_MATCH = "Action does not apply to any resource(s) in statement"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Effect": "allow"}, "Invalid effect: allow"),
        ({"Shoes": 1}, "Unknown field Shoes"),
        ({"Sid": 1}, "This policy contains invalid Json"),
        *[({"Principal": value}, INVALID_PRINCIPAL) for value in ("", "alice", [], ["*"], {}, {"AWS": []}, None)],
        *[({"Principal": {"AWS": value}}, INVALID_PRINCIPAL) for value in ("", "nobody", ["alice", "nobody"], 1)],
        ({"Principal": {"Service": "s3.amazonaws.com"}}, INVALID_PRINCIPAL),
        ({"Principal": {"CanonicalUser": "*"}}, INVALID_PRINCIPAL),
        ({"NotPrincipal": {"AWS": "alice"}}, "Allow with NotPrincipal is not allowed."),
        ({"NotPrincipal": "*", "Principal": "*"}, "Statement has both Principal and NotPrincipal"),
        *[({"Action": value}, INVALID_ACTION) for value in ("", [], "GetObject", "s3", "s3:", "s4:GetObject", 1)],
        *[({"Action": value}, INVALID_ACTION) for value in ("s3:????", "s3:Put-Object", "*GetObject", "s3:Get:*")],
        *[({"Resource": value}, INVALID_RESOURCE) for value in ("", [], "b/*", "arn:aws:s3:::", "arn:aws:s3:::other")],
        *[({"Resource": value}, INVALID_RESOURCE) for value in ("arn:aws:s3:::/b", "arn:aws:iam:::b", 1)],
        ({"Resource": "arn:aws:s3:::b/${aws:what}"}, INVALID_RESOURCE),
        ({"Resource": "arn:aws:s3:::b"}, NO_MATCH),
        ({"Action": "s3:ListBucket"}, NO_MATCH),
        ({"Action": ["s3:GetObject", "s3:ListBucket"]}, NO_MATCH),
        ({"Action": "s3:ListAllMyBuckets"}, NO_MATCH),
        ({"Condition": []}, "This policy contains invalid Json"),
        ({"Condition": {"Bool": "x"}}, "Policy has an invalid condition key"),
        ({"Condition": {"Bool": {"aws:what": "true"}}}, "Policy has an invalid condition key"),
        ({"Condition": {"StringEquals": {"s3:ExistingObjectTag/": "x"}}}, "Policy has an invalid condition key"),
        ({"Condition": {"Boole": {"aws:SecureTransport": "true"}}}, "Invalid Condition type : Boole"),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": []}}},
            "Policy has no value for condition key aws:SecureTransport",
        ),
        (
            {"Condition": {"IpAddress": {"aws:SourceIp": "1.2.3"}}},
            "Invalid value for condition IpAddress : aws:SourceIp",
        ),
        ({"Condition": {"Bool": {"aws:SecureTransport": None}}}, "This policy contains invalid Json"),
        (
            {"Condition": {"StringEquals": {"s3:prefix": "x"}}},
            "Conditions do not apply to combination of actions and resources in statement",
        ),
    ],
)
def test_statements_that_are_refused(given: dict[str, Any], message: str) -> None:
    assert refused_statement(**given) == message


@pytest.mark.parametrize("field", ["Effect", "Principal", "Action", "Resource"])
def test_what_a_statement_must_have(field: str) -> None:
    whole = filled({})
    del whole[field]
    assert refused(json.dumps({"Statement": [whole]})) == f"Missing required field {field}"


def test_names_of_statements_are_unique() -> None:
    twice = [filled({"Sid": "one"}), filled({"Sid": "one"})]
    assert refused(json.dumps({"Statement": twice})) == "Statement IDs (SID) in a single policy must be unique."
    assert len(read(json.dumps({"Statement": [filled({"Sid": ""}), filled({"Sid": ""})]})).statements) == 2


@pytest.mark.parametrize(
    ("action", "meant"),
    [
        ("s3:getobject", {"s3:GetObject"}),
        (
            "s3:DeleteObject?*",
            {action for action in KNOWN if action.startswith("s3:DeleteObject")} - {"s3:DeleteObject"},
        ),
        (["s3:GetObject", "s3:Abort*"], {"s3:GetObject", "s3:AbortMultipartUpload"}),
        ("s3:*", KNOWN),
        ("*", KNOWN),
    ],
)
def test_which_actions_are_meant(action: Any, meant: set[str]) -> None:
    (statement,) = read(json.dumps({"Statement": filled({"Action": action, "Resource": "*"})})).statements
    assert statement.actions == meant


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:s3:::*", "arn:aws:s3:::?/*", "arn:aws:s3:::b*", "arn:aws:s3:::b/a/*"]
)
def test_resources_that_are_of_the_bucket(resource: str) -> None:
    (statement,) = read(json.dumps({"Statement": filled({"Resource": resource})})).statements
    assert statement.resources == (resource.removeprefix("arn:aws:s3:::"),)


def test_variables_are_of_the_later_version() -> None:
    assert not read(json.dumps({"Statement": filled({})})).variables
    assert read(json.dumps({"Version": "2012-10-17", "Statement": filled({})})).variables


def test_values_may_be_numbers_and_truths() -> None:
    condition = {"NumericLessThan": {"s3:max-keys": 10}, "Bool": {"aws:SecureTransport": True}}
    text = json.dumps({"Statement": filled({"Action": "s3:ListBucket", "Resource": "*", "Condition": condition})})
    (statement,) = read(text).statements
    assert [each.values for each in statement.conditions] == [("10",), ("true",)]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(
    [
        "*",
        "s3:*",
        "s3:GetObject",
        "Allow",
        "Deny",
        "AWS",
        "alice",
        "arn:aws:s3:::b/*",
        "${aws:username}",
        "${",
        "2012-10-17",
    ]
)
NAMES = st.sampled_from(
    [*FIELDS, *STATEMENT_FIELDS, *OPERATORS, *NEGATED, "Null", "AWS", "aws:SourceIp", "s3:prefix", "aws:CurrentTime"]
)
ANYTHING = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
STATEMENTS = st.dictionaries(st.sampled_from(sorted(STATEMENT_FIELDS)), ANYTHING, max_size=4).map(filled)


@given(st.dictionaries(NAMES, ANYTHING, max_size=4) | STATEMENTS.map(lambda each: {"Statement": each}))
def test_whatever_comes_is_a_policy_or_refused(document: Any) -> None:
    try:
        found = read(json.dumps(document))
    except S3Error as problem:
        assert problem.code == "MalformedPolicy"
        return
    bucket = Bucket(1, "b", "a" * 64, 0, "eu-west-1")
    assert Policy(found).decide("s3:GetObject", ask(bucket)) in Verdict
