"""Times as S3 writes them, against the standard library's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

import pytest

from gateway.s3.times import exact_time, http_time, parse_http_time, parse_iso_time, xml_time

MOMENTS = [0, 999, 1795255200123, 951782400000, 951868799999, 1735689599999, 4102444800000, -86400000]


@pytest.mark.parametrize("moment", MOMENTS)
def test_whole_seconds_in_documents_and_headers(moment):
    second = datetime.fromtimestamp(moment // 1000, UTC)
    assert xml_time(moment) == second.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert http_time(moment) == formatdate(moment // 1000, usegmt=True)


def test_exact_times():
    assert exact_time(1795255200123) == "2026-11-21T10:00:00.123Z"
    assert exact_time(1795255200000) == "2026-11-21T10:00:00.000Z"


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))])
def test_datetimes_of_any_zone(zone):
    moment = datetime(2026, 11, 21, 10, 0, 0, 123456, UTC).astimezone(zone)
    assert exact_time(moment) == "2026-11-21T10:00:00.123Z"
    assert http_time(moment) == "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    "text",
    ["Sat, 21 Nov 2026 10:00:00 GMT", "Saturday, 21-Nov-26 10:00:00 GMT", "Sat Nov 21 10:00:00 2026"],
)
def test_the_three_forms_of_an_http_date(text):
    assert parse_http_time(text) == 1795255200000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "Sat, 31 Feb 2026 10:00:00 GMT",
        "Sat, 21 Xyz 2026 10:00:00 GMT",
        "Sat, 21 Nov 2026 25:00:00 GMT",
        "1",
    ],
)
def test_what_is_no_http_date(text):
    assert parse_http_time(text) is None


@pytest.mark.parametrize("moment", [moment // 1000 * 1000 for moment in MOMENTS if moment >= 0])
def test_what_is_written_is_read(moment):
    assert parse_http_time(http_time(moment)) == moment
    assert parse_iso_time(xml_time(moment)) == moment


def test_what_is_no_iso_time():
    assert parse_iso_time("yesterday") is None
