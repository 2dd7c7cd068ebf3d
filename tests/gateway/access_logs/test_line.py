from __future__ import annotations

from typing import Any

import pytest

from conformance.access_logs import LINE
from gateway.access_logs.line import Entry, Log, decode_entries, encode_entries, line_of, quoted, stamp, word

LOG = Log("source", "a" * 64, "us-east-1", '{"target_bucket":"logs"}')


def entry(**given: Any) -> Entry:
    whole = Entry(
        log=LOG,
        time=1_549_411_238.9,
        remote_ip="192.0.2.3",
        requester="b" * 64,
        request_id="3E57427F3EA59F07",
        operation="REST.GET.OBJECT",
        key="photos/a b.jpg",
        uri="GET /source/photos/a%20b.jpg HTTP/1.1",
        status=200,
        error="",
        sent=2662992,
        size=3462992,
        total_time=70.4,
        turn_around_time=9.6,
        referer="http://www.example.com/",
        user_agent="curl/7.15.1",
        version_id="3HL4kqtJvjVBH40Nrjfkd",
        host_id="s9lzHYrFp76ZVxRcpX9+5cjA=",
        signature="SigV4",
        cipher="ECDHE-RSA-AES128-GCM-SHA256",
        authentication="AuthHeader",
        host="s3.us-west-2.example.com",
        tls="TLSv1.2",
        acl_required=True,
    )
    return whole._replace(**given)


def test_a_line_has_its_fields_in_the_order_of_the_format() -> None:
    assert line_of(entry()) == (
        f"{'a' * 64} source [06/Feb/2019:00:00:38 +0000] 192.0.2.3 {'b' * 64} 3E57427F3EA59F07 REST.GET.OBJECT "
        'photos/a%2520b.jpg "GET /source/photos/a%20b.jpg HTTP/1.1" 200 - 2662992 3462992 70 10 '
        '"http://www.example.com/" "curl/7.15.1" 3HL4kqtJvjVBH40Nrjfkd s9lzHYrFp76ZVxRcpX9+5cjA= SigV4 '
        "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader s3.us-west-2.example.com TLSv1.2 - Yes"
    )


def test_what_is_not_known_is_a_dash() -> None:
    empty = ("remote_ip", "requester", "error", "signature", "cipher", "authentication", "host", "tls")
    none = ("key", "uri", "size", "total_time", "turn_around_time", "referer", "user_agent", "version_id")
    given: dict[str, Any] = {"sent": 0, "acl_required": False} | dict.fromkeys(empty, "") | dict.fromkeys(none)
    line = line_of(entry(**given))
    match = LINE.fullmatch(line)
    assert match is not None
    known = {name for name, value in match.groupdict().items() if value.strip('"') != "-"}
    assert known == {"owner", "bucket", "time", "request_id", "operation", "status", "host_id"}


@pytest.mark.parametrize("hostile", ['"', "\n", '" 200 - "', "\r\nowner bucket", "\x00", "é\x85\u2028", "a b"])
def test_no_text_ends_its_field(hostile: str) -> None:
    line = line_of(
        entry(key=hostile, uri=hostile, referer=hostile, user_agent=hostile, version_id=hostile, host=hostile)
    )
    assert LINE.fullmatch(line) is not None
    assert line.isascii() and line.isprintable()


def test_encoded() -> None:
    assert quoted('a "b" 100%') == '"a %22b%22 100%"'
    assert word("a b\tc") == "a%20b%09c"
    assert stamp(0) == "01/Jan/1970:00:00:00 +0000"


def test_an_entry_comes_back_as_it_was_noted() -> None:
    assert decode_entries(encode_entries([entry(), entry(size=None)])) == [entry(), entry(size=None)]
