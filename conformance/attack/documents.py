"""Documents as an attacker sends them: XML, and the JSON of a bucket policy."""

from __future__ import annotations

from hypothesis import strategies as st

from conformance.attack.inputs import BUCKET, KEY, RULED, spoiled
from conformance.content import content_md5
from conformance.raw import Raw, Request

# By name: method, path, query and a right one.
DOCUMENTS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "DeleteObjects": (
        "POST",
        f"/{BUCKET}",
        {"delete": ""},
        "<Delete><Object><Key>a</Key></Object><Quiet>true</Quiet></Delete>",
    ),
    "CompleteMultipartUpload": (
        "POST",
        f"/{BUCKET}/{KEY}",
        {"uploadId": "none"},
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part></CompleteMultipartUpload>",
    ),
    "PutBucketTagging": (
        "PUT",
        f"/{BUCKET}",
        {"tagging": ""},
        "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    ),
    "PutObjectTagging": (
        "PUT",
        f"/{BUCKET}/{KEY}",
        {"tagging": ""},
        "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    ),
    "PutBucketVersioning": (
        "PUT",
        f"/{BUCKET}",
        {"versioning": ""},
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    ),
    "CreateBucket": (
        "PUT",
        "/attacked-too",
        {},
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
    ),
}
DOCUMENTS |= {
    f"{name} of {path}": ("PUT", path, {name: ""}, text)
    for path, name, text in (
        (
            f"/{RULED}",
            "policy",
            '{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Allow", "Principal": {"AWS": ["*"]},'
            ' "Action": ["s3:Get*"], "NotResource": "arn:aws:s3:::attacked-ruled/${aws:username}?*",'
            ' "Condition": {"NumericLessThanEqualsIfExists": {"s3:max-keys": 5}, "IpAddress": {"aws:SourceIp": "::/0"},'
            ' "ForAllValues:StringLike": {"s3:RequestObjectTagKeys": ["a*"]}}}]}',
        ),
        (
            f"/{RULED}",
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>a</ID><Filter><And><Prefix>a</Prefix><Tag><Key>a</Key><Value>b</Value>"
            "</Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status><Expiration>"
            "<Days>3000</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>3000</NoncurrentDays>"
            "<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>"
            "</LifecycleConfiguration>",
        ),
        (
            f"/{RULED}",
            "encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256"
            "</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>"
            "</ServerSideEncryptionConfiguration>",
        ),
        (
            f"/{RULED}",
            "object-lock",
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
            "<Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
        ),
        (
            f"/{RULED}/{KEY}",
            "retention",
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2100-01-01T00:00:00Z</RetainUntilDate></Retention>",
        ),
        (f"/{RULED}/{KEY}", "legal-hold", "<LegalHold><Status>ON</Status></LegalHold>"),
        (
            f"/{RULED}",
            "acl",
            "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="
            '"http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>'
            "http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>"
            "</AccessControlList></AccessControlPolicy>",
        ),
        (
            f"/{RULED}",
            "cors",
            "<CORSConfiguration><CORSRule><AllowedOrigin>http://*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
            "<MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>",
        ),
    )
}
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)
XML = [
    f"{BOMB}]><Delete><Object><Key>&m;</Key></Object></Delete>",
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><Delete/>',
    '<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///dev/zero">%a;]><Delete/>',
    '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-<Delete/>',
    '<Delete xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></Delete>',
    '<?xml-stylesheet href="file:///etc/passwd"?><Delete/>',
    "<a>" * 100_000,
    "<a>" * 200 + "</a>" * 200,
    "<Delete " + "".join(f'a{n}="" ' for n in range(20_000)) + "/>",
    "<Delete>" + "<Object><Key>a</Key></Object>" * 1001 + "</Delete>",
    "<Delete>" + "&#x0;" * 10 + "</Delete>",
    "<Delete><![CDATA[" + "]" * 100_000 + "]]></Delete>",
    "<Delete>" + "<!-- -->" * 50_000 + "</Delete>",
    "\ufeff",
    " ",
    "{}",
]


@st.composite
def documents(draw: st.DrawFn, raw: Raw) -> Request:
    """XML that is signed rightly, with its Content-MD5."""
    method, path, query, right = DOCUMENTS[draw(st.sampled_from(sorted(DOCUMENTS)))]
    text = draw(st.one_of(st.sampled_from(XML), spoiled(right), st.text(max_size=100)))
    body = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16"])), "surrogatepass")
    return raw.prepare(method, path, query, {"Content-MD5": content_md5(body)}, body)
