"""Documents from clients: what is read, what is malformed, and what XML could do to a server that is not careful."""

from __future__ import annotations

import pytest

from gateway.s3.read import MAX_DEPTH, MAX_MARKS

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
TAGS = b"<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet>"


@pytest.mark.parametrize(
    "document",
    [
        b"<Tagging>%s</Tagging>" % TAGS,
        b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">%s</Tagging>' % TAGS,
        b'<Tagging xmlns="http://example.com/">%s</Tagging>' % TAGS,
        b'<s:Tagging xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/">%s</s:Tagging>' % TAGS,
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging>\n  %s\n</Tagging>\n' % TAGS,
        b"<Tagging><!-- a comment --><?do something?>%s<Unheard><Of/></Unheard></Tagging>" % TAGS,
        b"<Tagging><TagSet><Tag><Value>v</Value><Key>k</Key><More/></Tag></TagSet></Tagging>",
        b"<Tagging><TagSet><Tag><Key><![CDATA[k]]></Key><Value>v</Value></Tag></TagSet></Tagging>",
    ],
)
def test_forms_of_one_document(read, document):
    assert read("PutBucketTagging", document) == {"tag_set": [{"key": "k", "value": "v"}]}


def test_text_is_kept_as_it_is(read):
    document = "<Delete><Object><Key> a&amp;b&#13;&#10;é\U0001f600 </Key></Object></Delete>".encode()
    assert read("DeleteObjects", document) == {"objects": [{"key": " a&b\r\né\U0001f600 "}]}


def test_an_empty_element_is_the_empty_string(read):
    document = b"<Tagging><TagSet><Tag><Key>k</Key><Value/></Tag></TagSet></Tagging>"
    assert read("PutBucketTagging", document) == {"tag_set": [{"key": "k", "value": ""}]}


def test_an_empty_list(read):
    assert read("PutBucketTagging", b"<Tagging><TagSet/></Tagging>") == {"tag_set": []}


def test_flattened_list_in_order_without_quotes_on_etags(read):
    document = (
        b"<CompleteMultipartUpload>"
        b"<Part><PartNumber>1</PartNumber><ETag>&quot;aa&quot;</ETag><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></Part>"
        b"<Part><ETag>bb</ETag><PartNumber> 2 </PartNumber></Part>"
        b"</CompleteMultipartUpload>"
    )
    assert read("CompleteMultipartUpload", document) == {
        "parts": [
            {"part_number": 1, "etag": "aa", "checksum_crc32_c": "AAAAAA=="},
            {"part_number": 2, "etag": "bb"},
        ]
    }


def test_attributes(read):
    document = (
        b'<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:type="CanonicalUser"><ID>1</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList>'
        b"</AccessControlPolicy>"
    )
    grant = {"grantee": {"type": "CanonicalUser", "id": "1"}, "permission": "READ"}
    assert read("PutBucketAcl", document) == {"grants": [grant]}


@pytest.mark.parametrize(
    ("date", "milliseconds"),
    [
        ("2026-11-21T10:00:00Z", 1795255200000),
        ("2026-11-21T10:00:00.250Z", 1795255200250),
        ("2026-11-21T11:00:00+01:00", 1795255200000),
        ("2026-11-21T10:00:00", 1795255200000),
        ("Sat, 21 Nov 2026 10:00:00 GMT", 1795255200000),
    ],
)
def test_dates(read, date, milliseconds):
    document = f"<Retention><RetainUntilDate>{date}</RetainUntilDate></Retention>".encode()
    assert read("PutObjectRetention", document) == {"retain_until_date": milliseconds}


def versioning(status: str) -> bytes:
    return f"<VersioningConfiguration>{status}</VersioningConfiguration>".encode()


MALFORMED = {
    "nothing": ("PutBucketVersioning", b" "),
    "not XML": ("PutBucketVersioning", b"{}"),
    "cut short": ("PutBucketVersioning", b"<VersioningConfiguration><Status>Enabled"),
    "two roots": ("PutBucketVersioning", versioning("") * 2),
    "another root": ("PutBucketVersioning", b"<Versioning><Status>Enabled</Status></Versioning>"),
    "unknown enum value": ("PutBucketVersioning", versioning("<Status>Maybe</Status>")),
    "enum in another case": ("PutBucketVersioning", versioning("<Status>enabled</Status>")),
    "repeated element": ("PutBucketVersioning", versioning("<Status>Enabled</Status><Status>Suspended</Status>")),
    "element where text belongs": ("PutBucketVersioning", versioning("<Status><b>Enabled</b></Status>")),
    "required member missing": ("DeleteObjects", b"<Delete/>"),
    "required member missing inside": (
        "PutBucketTagging",
        b"<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>",
    ),
    "required list empty": ("DeleteObjects", b"<Delete><Quiet>true</Quiet></Delete>"),
    "not a boolean": ("DeleteObjects", b"<Delete><Quiet>maybe</Quiet><Object><Key>k</Key></Object></Delete>"),
    "not an integer": (
        "CompleteMultipartUpload",
        b"<CompleteMultipartUpload><Part><PartNumber>1.5</PartNumber></Part></CompleteMultipartUpload>",
    ),
    "an endless integer": (
        "CompleteMultipartUpload",
        b"<CompleteMultipartUpload><Part><PartNumber>%s</PartNumber></Part></CompleteMultipartUpload>" % (b"9" * 5000),
    ),
    "not a date": ("PutObjectRetention", b"<Retention><RetainUntilDate>soon</RetainUntilDate></Retention>"),
    "unknown xsi:type": (
        "PutBucketAcl",
        b'<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:type="Robot"/></Grant></AccessControlList></AccessControlPolicy>',
    ),
    "not UTF-8": ("PutBucketVersioning", b"<VersioningConfiguration>\xff\xfe</VersioningConfiguration>"),
    "another encoding": ("PutBucketVersioning", versioning("<Status>Enabled</Status>").decode().encode("utf-16")),
    "control character": ("PutBucketVersioning", versioning("<Status>\x00</Status>")),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed(read, refused, case):
    error = refused(read, *MALFORMED[case])
    code = "MalformedACLError" if MALFORMED[case][0] == "PutBucketAcl" else "MalformedXML"
    assert (error.code, error.status) == (code, 400)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ATTACKS = {
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'
    "<VersioningConfiguration><Status>&l9;</Status></VersioningConfiguration>",
    "an external entity": '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
    "<VersioningConfiguration><Status>&file;</Status></VersioningConfiguration>",
    "an external DTD": '<!DOCTYPE x SYSTEM "file:///etc/hostname"><VersioningConfiguration/>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><VersioningConfiguration/>',
    "a harmless DTD": "<!DOCTYPE VersioningConfiguration><VersioningConfiguration/>",
    "an undeclared entity": "<VersioningConfiguration><Status>&file;</Status></VersioningConfiguration>",
    "a DTD in UTF-7": '<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE x+AD4-<VersioningConfiguration/>',
    "depth in what is passed over": "<VersioningConfiguration>"
    + "<a>" * 300
    + "</a>" * 300
    + "</VersioningConfiguration>",
    "great depth": "<a>" * 100_000,
    "a million elements": "<VersioningConfiguration>" + "<a/>" * 1_000_000 + "</VersioningConfiguration>",
    "a million attributes": "<VersioningConfiguration" + "".join(f' a{n}=""' for n in range(1_000_000)) + "/>",
    "a million attributes in a thousand elements": "<VersioningConfiguration>"
    + ("<a" + "".join(f" a{n} = '>'" for n in range(1_000)) + "/>") * 1_000
    + "</VersioningConfiguration>",
}


@pytest.mark.parametrize("case", ATTACKS)
def test_attacks(read, refused, case):
    assert refused(read, "PutBucketVersioning", ATTACKS[case].encode()).code == "MalformedXML"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"])
def test_a_doctype_cannot_hide_in_another_encoding(read, refused, encoding):
    document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x><VersioningConfiguration/>'.encode(encoding)
    assert refused(read, "PutBucketVersioning", document).code == "MalformedXML"


def test_a_stylesheet_or_include_is_passed_over(read):
    document = (
        b'<?xml-stylesheet href="file:///etc/hostname"?><VersioningConfiguration>'
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'
        b"</VersioningConfiguration>"
    )
    assert read("PutBucketVersioning", document) == {}


@pytest.mark.parametrize(("depth", "fits"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_depth_is_bounded(read, refused, depth, fits):
    inside = depth - 1
    document = versioning("<a>" * inside + "</a>" * inside)
    if fits:
        assert read("PutBucketVersioning", document) == {}
    else:
        assert refused(read, "PutBucketVersioning", document).code == "MalformedXML"


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_tags_are_bounded(read, refused, more, fits):
    document = versioning("<a/>" * (MAX_MARKS - 2 + more))
    if fits:
        assert read("PutBucketVersioning", document) == {}
    else:
        assert refused(read, "PutBucketVersioning", document).code == "MalformedXML"


def test_a_thousand_keys_of_equals_signs_are_none_too_many(read):
    document = b"<Delete>%s</Delete>" % (b"<Object><Key>%s</Key></Object>" % (b"=" * 1024) * 1000)
    assert len(read("DeleteObjects", document)["objects"]) == 1000


def test_ten_thousand_parts(read):
    part = b"<Part><PartNumber>%d</PartNumber><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag></Part>"
    document = b"".join(part % number for number in range(1, 10_001))
    content = read("CompleteMultipartUpload", b"<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % document)
    assert [part["part_number"] for part in content["parts"]] == list(range(1, 10_001))
