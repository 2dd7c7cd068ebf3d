"""What is read by columns is what walking reads; what columns cannot read is walked."""

from __future__ import annotations

import pytest

from gateway.s3.columns import Columns
from gateway.s3.read import MANY
from gateway.s3.xml import NAMESPACE

PLAIN = "<Part><PartNumber>{}</PartNumber><ETag>{:032x}</ETag></Part>"
ODD = MANY // 2
OWN = {"part_number": ODD, "etag": f"{ODD:032x}"}


def completing(part: str = PLAIN, count: int = MANY, odd: str | None = None, root: str = "") -> bytes:
    """A document of parts that are all alike, but for the one in the middle."""
    parts = [part.format(number, number) for number in range(1, count + 1)]
    if odd is not None:
        parts[ODD - 1] = odd
    return f"<CompleteMultipartUpload{root}>{''.join(parts)}</CompleteMultipartUpload>".encode()


ALIKE = {
    "plain": (PLAIN, ""),
    "in S3's namespace": (PLAIN, f' xmlns="{NAMESPACE}"'),
    "with quotes": ('<Part><ETag>"{1:032x}"</ETag><PartNumber>{0}</PartNumber></Part>', ""),
    "with escaped quotes": ("<Part><ETag>&quot;{1:032x}&quot;</ETag><PartNumber>{0}</PartNumber></Part>", ""),
    "with spaces": ('<Part>\n <PartNumber> {} </PartNumber>\n <ETag>\n"{:032x}" </ETag>\n</Part>\n', ""),
    "as CDATA": ("<Part><PartNumber><![CDATA[{}]]></PartNumber><ETag><![CDATA[{:032x}]]></ETag></Part>", ""),
    "with comments": ("<Part><!-- -->{}</Part>".format(PLAIN[6:-7].replace("{:", "<?a b?>{:")), ""),
    "with attributes": ("<Part a='b'><PartNumber c='d'>{}</PartNumber><ETag>{:032x}</ETag></Part>", ""),
}


@pytest.mark.parametrize("case", ALIKE)
def test_many_that_are_alike(read, case):
    part, root = ALIKE[case]
    found = read("CompleteMultipartUpload", completing(part, root=root))["parts"]
    assert isinstance(found, Columns)
    assert len(found) == MANY
    assert list(found) == [{"part_number": number, "etag": f"{number:032x}"} for number in range(1, MANY + 1)]
    assert found[ODD - 1] == OWN
    assert found[ODD - 1 : ODD + 1] == [OWN, {"part_number": ODD + 1, "etag": f"{ODD + 1:032x}"}]


def test_checksums_are_columns_too(read):
    part = PLAIN.replace("</Part>", "<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>")
    found = read("CompleteMultipartUpload", completing(part))["parts"]
    assert isinstance(found, Columns)
    assert found.members["checksum_crc32"] == ["AAAAAA=="] * MANY


def test_few_are_walked(read):
    found = read("CompleteMultipartUpload", completing(count=MANY - 1))["parts"]
    assert type(found) is list
    assert len(found) == MANY - 1


def test_what_stands_beside_them_is_read_too(read):
    keys = "".join(f"<Object><Key>{number}</Key></Object>" for number in range(MANY))
    for document in (f"<Quiet>true</Quiet>{keys}<More/>", f"{keys}<More/><Quiet>true</Quiet>"):
        found = read("DeleteObjects", f"<Delete>{document}</Delete>".encode())
        assert isinstance(found["objects"], Columns)
        assert (found["quiet"], found["objects"].members) == (True, {"key": [str(number) for number in range(MANY)]})


ANOTHER = {
    "other order": (f"<Part><ETag>{ODD:032x}</ETag><PartNumber>{ODD}</PartNumber></Part>", OWN),
    "a checksum": (
        PLAIN.format(ODD, ODD).replace("</Part>", "<ChecksumSHA1>a</ChecksumSHA1></Part>"),
        OWN | {"checksum_sha1": "a"},
    ),
    "an empty checksum": (
        PLAIN.format(ODD, ODD).replace("</Part>", "<ChecksumSHA1/></Part>"),
        OWN | {"checksum_sha1": ""},
    ),
    "an element that nobody knows": (PLAIN.format(ODD, ODD).replace("</Part>", "<Size><A/></Size></Part>"), OWN),
    "of S3's namespace": (PLAIN.format(ODD, ODD).replace("<Part>", f'<Part xmlns="{NAMESPACE}">'), OWN),
    "of another namespace": (PLAIN.format(ODD, ODD).replace("<Part>", '<Part xmlns="http://example.com/">'), OWN),
    "a child of another namespace": (PLAIN.format(ODD, ODD).replace("<ETag>", '<ETag xmlns="http://a/">'), OWN),
    "without an ETag": (f"<Part><PartNumber>{ODD}</PartNumber></Part>", {"part_number": ODD}),
    "an empty ETag": (f"<Part><PartNumber>{ODD}</PartNumber><ETag/></Part>", {"part_number": ODD, "etag": ""}),
    "an ETag of one quote": (
        f'<Part><PartNumber>{ODD}</PartNumber><ETag>"</ETag></Part>',
        {"part_number": ODD, "etag": ""},
    ),
    "an ETag half in quotes": (
        f'<Part><PartNumber>{ODD}</PartNumber><ETag>"a b</ETag></Part>',
        {"part_number": ODD, "etag": "a b"},
    ),
    "text in pieces": (
        f"<Part><PartNumber>{ODD}</PartNumber><ETag>{ODD:016x}<!-- --><![CDATA[{ODD:016x}]]></ETag></Part>",
        {"part_number": ODD, "etag": f"{ODD:016x}" * 2},
    ),
    "a number below zero": (
        f"<Part><PartNumber>-1</PartNumber><ETag>{ODD:032x}</ETag></Part>",
        OWN | {"part_number": -1},
    ),
    "text between its elements": (PLAIN.format(ODD, ODD).replace("<ETag>", "text<ETag>"), OWN),
    "an element of another name": ("<Piece/>", None),
    "nothing in it": ("<Part/>", {}),
}


@pytest.mark.parametrize("case", ANOTHER)
def test_one_that_is_not_like_the_others(read, case):
    odd, expected = ANOTHER[case]
    plain = [{"part_number": number, "etag": f"{number:032x}"} for number in range(1, MANY + 2)]
    plain[ODD - 1 : ODD] = [] if expected is None else [expected]
    assert list(read("CompleteMultipartUpload", completing(count=MANY + 1, odd=odd))["parts"]) == plain


MALFORMED = {
    "a number twice": "<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>a</ETag></Part>",
    "a number twice, no ETag": "<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber></Part>",
    "no number": "<Part><PartNumber>one</PartNumber><ETag>a</ETag></Part>",
    "digits of another script": "<Part><PartNumber>\u0661</PartNumber><ETag>a</ETag></Part>",
    "an endless number": f"<Part><PartNumber>{'9' * 5000}</PartNumber><ETag>a</ETag></Part>",
    "an element in a number": "<Part><PartNumber>1<b/></PartNumber><ETag>a</ETag></Part>",
    "an element in a number, and no text in the ETag": "<Part><PartNumber>1<b/></PartNumber><ETag/></Part>",
    "an element between the digits": "<Part><PartNumber>1<b/>2</PartNumber><ETag/></Part>",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_one_that_is_malformed_among_many(read, refused, case):
    assert refused(read, "CompleteMultipartUpload", completing(odd=MALFORMED[case])).code == "MalformedXML"


def test_a_member_that_all_have_twice(read, refused):
    part = PLAIN.replace("<ETag>", "<PartNumber>1</PartNumber><ETag>")
    assert refused(read, "CompleteMultipartUpload", completing(part)).code == "MalformedXML"


@pytest.mark.parametrize("more", ["", "<VersionId>1</VersionId>"])
def test_a_required_member_that_all_lack(read, refused, more):
    keys = f"<Object>{more}<ETag>a</ETag></Object>" * MANY
    assert refused(read, "DeleteObjects", f"<Delete>{keys}</Delete>".encode()).code == "MalformedXML"
