"""What S3 calls public, and what the public access block does about it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress

from catalog.records import Bucket
from gateway.access.document import EVERYBODY, Condition, Document, Statement

# The name of the bucket's configuration. Kept are the names of those that are on; of a bucket whose block was
# deleted, `DELETED` in their place.
SETTING = "public_access_block"
BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
ALL = " ".join(BLOCKS)
DELETED = "deleted"

# A condition that holds one of these to fixed values makes a statement for everybody one for few.
FIXING = frozenset(
    {
        *("aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount"),
        *("aws:principalorgid", "aws:principalarn", "aws:userid"),
        *("s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
    }
)
EXACT = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
# Networks with shorter prefixes are no set of addresses that anybody owns.
WIDEST = {4: 8, 6: 32}


def is_public(document: Document) -> bool:
    return any(statement.allow and is_for_everybody(statement) for statement in document.statements)


def is_for_everybody(statement: Statement) -> bool:
    return EVERYBODY in statement.principals and not any(map(is_fixing, statement.conditions))


def is_fixing(condition: Condition) -> bool:
    operator = condition.operator.removeprefix("ForAnyValue:")
    if condition.key.lower() == "aws:sourceip":
        return operator == "IpAddress" and all(map(is_narrow, condition.values))
    if condition.key.lower() not in FIXING or operator not in EXACT:
        return False
    return not any(wild in value for value in condition.values for wild in ("*", "?", "${"))


def is_narrow(network: str) -> bool:
    found = ipaddress.ip_network(network, strict=False)
    return found.prefixlen >= WIDEST[found.version]


def blocks(bucket: Bucket, block: str) -> bool:
    settings = bucket.settings
    return block in (settings.get(SETTING, ALL) if settings else ALL).split()
