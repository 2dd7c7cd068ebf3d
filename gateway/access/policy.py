"""A bucket policy as it is asked: compiled once, then a few closures for the statements that an action concerns."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from catalog.records import Bucket
from gateway.access.asked import Asked
from gateway.access.document import EVERYBODY, Document, Statement, read_document
from gateway.access.keys import IN_DOCUMENTS, getter_of
from gateway.access.operators import Test, compile_condition
from gateway.access.patterns import Unresolved, compile_pattern
from gateway.access.public import is_public

# Names of a bucket's configurations: the policy as it was given, and whom its principals meant then, as JSON: a user
# of the same name that is made later is somebody else.
SETTING = "policy"
PRINCIPALS = "policy_principals"


class Verdict(enum.Enum):
    NONE = 0
    ALLOW = 1
    DENY = 2


class Policy:
    """`by_document`: some statement asks for what stands in a request's document."""

    __slots__ = ("allows", "by_document", "denies", "public")

    def __init__(self, document: Document) -> None:
        self.denies = by_action(document, allow=False)
        self.allows = by_action(document, allow=True)
        self.public = is_public(document)
        self.by_document = any(
            condition.key.lower().startswith(IN_DOCUMENTS)
            for statement in document.statements
            for condition in statement.conditions
        )

    def decide(self, action: str, asked: Asked) -> Verdict:
        for matches in self.denies.get(action, ()):
            if matches(asked):
                return Verdict.DENY
        for matches in self.allows.get(action, ()):
            if matches(asked):
                return Verdict.ALLOW
        return Verdict.NONE


def policy_of(bucket: Bucket) -> Policy | None:
    settings = bucket.settings
    text = settings.get(SETTING) if settings else None
    if not text or settings is None:
        return None
    return compile_policy(text, settings.get(PRINCIPALS, "{}"), bucket.name)


@lru_cache(maxsize=256)
def compile_policy(text: str, principals: str, bucket: str) -> Policy:
    meant = msgspec.json.decode(principals, type=dict[str, str])
    return Policy(read_document(text, bucket, lambda kind, name: meant.get(f"{kind}:{name}")))


def by_action(document: Document, allow: bool) -> dict[str, list[Test]]:
    found: dict[str, list[Test]] = {}
    for statement in document.statements:
        if statement.allow == allow:
            test = compile_statement(statement, document.variables)
            for action in statement.actions:
                found.setdefault(action, []).append(test)
    return found


def compile_statement(statement: Statement, variables: bool) -> Test:
    who = compile_principals(statement)
    where = compile_resources(statement, variables)
    conditions = [
        compile_condition(each.operator, known(each.key), each.values, variables, strict=statement.allow)
        for each in statement.conditions
    ]

    def matches(asked: Asked) -> bool:
        try:
            return who(asked) and where(asked) and all(condition(asked) for condition in conditions)
        except Unresolved:
            return False

    return matches


def compile_principals(statement: Statement) -> Test:
    ids = statement.principals
    if EVERYBODY in ids:
        return lambda asked: not statement.but_principals
    if statement.but_principals:
        return lambda asked: asked.caller.id not in ids
    return lambda asked: asked.caller.id in ids


def compile_resources(statement: Statement, variables: bool) -> Test:
    """A pattern with a variable that the request says nothing of names nothing; an Allow of all but that, as little."""
    patterns = [compile_pattern(text, wild=True, variables=variables) for text in statement.resources]
    negated, strict = statement.but_resources, statement.allow and statement.but_resources

    def test(asked: Asked) -> bool:
        resource = asked.resource
        for pattern in patterns:
            try:
                if pattern(resource, asked):
                    return not negated
            except Unresolved:
                if strict:
                    raise
        return negated

    return test


def known(key: str) -> Callable[[Asked], Sequence[str] | None]:
    get = getter_of(key)
    assert get is not None
    return get
