from __future__ import annotations

import pytest

from gateway.access.keys import getter_of
from gateway.access.operators import compile_condition
from gateway.access.patterns import Unresolved
from tests.gateway.access.asking import ask

# Of a request that says nothing else: Referer is REFERER, the address 203.0.113.7, the prefix logs/2026.
REFERER = "Page-1"
CASES = [
    ("StringEquals", "aws:Referer", ["page-1"], False),
    ("StringEquals", "aws:Referer", ["x", "Page-1"], True),
    ("StringNotEquals", "aws:Referer", ["x", "Page-1"], False),
    ("StringNotEquals", "aws:Referer", ["x"], True),
    ("StringEqualsIgnoreCase", "aws:Referer", ["PAGE-1"], True),
    ("StringNotEqualsIgnoreCase", "aws:Referer", ["PAGE-1"], False),
    ("StringLike", "aws:Referer", ["Page-?"], True),
    ("StringLike", "aws:Referer", ["page*"], False),
    ("StringNotLike", "aws:Referer", ["Page*"], False),
    ("StringEquals", "aws:Referer", ["Page*"], False),
    ("NumericEquals", "s3:max-keys", ["10.0"], True),
    ("NumericNotEquals", "s3:max-keys", ["10"], False),
    ("NumericLessThan", "s3:max-keys", ["10"], False),
    ("NumericLessThanEquals", "s3:max-keys", ["10"], True),
    ("NumericGreaterThan", "s3:max-keys", ["9"], True),
    ("NumericGreaterThanEquals", "s3:max-keys", ["11"], False),
    ("NumericEquals", "aws:Referer", ["1"], False),
    ("DateLessThan", "aws:CurrentTime", ["2020-01-01T00:00:00Z"], False),
    ("DateGreaterThan", "aws:CurrentTime", ["2020-01-01"], True),
    ("DateGreaterThan", "aws:EpochTime", ["1577836800"], True),
    ("DateEquals", "aws:CurrentTime", ["2020-01-01"], False),
    ("DateNotEquals", "aws:CurrentTime", ["2020-01-01"], True),
    ("DateLessThanEquals", "aws:Referer", ["2020-01-01"], False),
    ("Bool", "aws:SecureTransport", ["false"], True),
    ("Bool", "aws:SecureTransport", ["True"], False),
    ("IpAddress", "aws:SourceIp", ["203.0.113.0/24"], True),
    ("IpAddress", "aws:SourceIp", ["203.0.113.7"], True),
    ("IpAddress", "aws:SourceIp", ["2001:db8::/32", "10.0.0.0/8"], False),
    ("NotIpAddress", "aws:SourceIp", ["203.0.113.0/24"], False),
    ("IpAddress", "aws:Referer", ["0.0.0.0/0"], False),
    ("ArnEquals", "aws:PrincipalArn", ["arn:aws:iam::*:user/b?b"], True),
    ("ArnLike", "aws:PrincipalArn", ["arn:aws:iam::000000000000:root"], False),
    ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:user/*"], False),
    ("ArnLike", "aws:PrincipalArn", ["arn:*:user/bob:x:y:z"], False),
    ("BinaryEquals", "aws:Referer", ["Page-1"], True),
    ("Null", "aws:Referer", ["true"], False),
    ("Null", "aws:Referer", ["false"], True),
    ("Null", "s3:delimiter", ["true"], True),
    # A key without a value.
    ("StringEquals", "s3:delimiter", ["/"], False),
    ("StringEqualsIfExists", "s3:delimiter", ["/"], True),
    ("StringNotEquals", "s3:delimiter", ["/"], True),
    ("StringNotEqualsIfExists", "s3:delimiter", ["/"], True),
    ("NumericLessThan", "s3:TlsVersion", ["1.2"], False),
    ("StringLikeIfExists", "aws:Referer", ["x*"], False),
    # Several values: the tags a=1 and b=2 of the request.
    ("ForAllValues:StringEquals", "s3:RequestObjectTagKeys", ["a", "b", "c"], True),
    ("ForAllValues:StringEquals", "s3:RequestObjectTagKeys", ["a"], False),
    ("ForAnyValue:StringEquals", "s3:RequestObjectTagKeys", ["b"], True),
    ("ForAnyValue:StringEquals", "s3:RequestObjectTagKeys", ["c"], False),
    ("ForAnyValue:StringNotEquals", "s3:RequestObjectTagKeys", ["a"], True),
    ("ForAllValues:StringNotEquals", "s3:RequestObjectTagKeys", ["a"], False),
    ("ForAllValues:StringEquals", "s3:delimiter", ["/"], True),
    ("ForAnyValue:StringNotEquals", "s3:delimiter", ["/"], False),
    ("StringEquals", "s3:RequestObjectTag/a", ["1"], True),
    ("StringEquals", "s3:RequestObjectTag/A", ["1"], False),
]


@pytest.mark.parametrize(("operator", "key", "values", "holds"), CASES)
def test_a_condition(operator: str, key: str, values: list[str], holds: bool) -> None:
    get = getter_of(key)
    assert get is not None
    asked = ask(query="max-keys=10&prefix=logs/2026", referer=REFERER, x_amz_tagging="a=1&b=2")
    assert compile_condition(operator, get, values, variables=True, strict=True)(asked) is holds


@pytest.mark.parametrize("operator", ["Equals", "StringEqual", "NullIfExists", "ForAnyValue:Null", "IfExists"])
def test_an_operator_that_there_is_not(operator: str) -> None:
    get = getter_of("aws:Referer")
    assert get is not None
    with pytest.raises(KeyError):
        compile_condition(operator, get, ["true"], variables=True, strict=True)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        *[("NumericEquals", value) for value in ("x", "1e9", "NaN", "")],
        *[("DateEquals", value) for value in ("soon", "")],
        *[("Bool", value) for value in ("yes", "")],
        *[("IpAddress", value) for value in ("1.2.3", "1.2.3.4/33", "host")],
        *[("Null", "maybe"), ("ArnEquals", "arn:aws:s3"), ("StringLike", "${aws:what}")],
    ],
)
def test_a_value_that_is_none_of_its_kind(operator: str, value: str) -> None:
    get = getter_of("aws:Referer")
    assert get is not None
    with pytest.raises(ValueError):
        compile_condition(operator, get, [value], variables=True, strict=True)


def test_a_variable_without_a_value_allows_nothing_and_equals_nothing() -> None:
    get = getter_of("s3:prefix")
    assert get is not None
    asked = ask(query="prefix=x")
    with pytest.raises(Unresolved):
        compile_condition("StringNotEquals", get, ["${aws:Referer}"], variables=True, strict=True)(asked)
    assert compile_condition("StringNotEquals", get, ["${aws:Referer}"], variables=True, strict=False)(asked)
    assert not compile_condition("StringEquals", get, ["${aws:Referer}"], variables=True, strict=False)(asked)
