from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.dates import is_day, iso_time, parse_stamp, request_moment
from gateway.s3.errors import S3Error

SECONDS = 1369353600.0


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-date": "20130524T000000Z"},
        {"date": "20130524T000000Z"},
        {"date": "Fri, 24 May 2013 00:00:00 GMT"},
        {"date": "Fri, 24 May 2013 02:00:00 +0200"},
        {"x-amz-date": "20130524T000000Z", "date": "Sat, 25 May 2013 00:00:00 GMT"},
        {"x-amz-date": "", "date": "20130524T000000Z"},
    ],
)
def test_moment_of_a_request(headers):
    moment = request_moment(headers)
    assert (moment.stamp, moment.seconds) == ("20130524T000000Z", SECONDS)
    assert moment.sent in headers.values()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-amz-date": "Bad Date"},
        {"x-amz-date": "Fri, 24 May 2013 00:00:00 GMT"},
        {"x-amz-date": "20130524T000000"},
        {"x-amz-date": "20131324T000000Z"},
        {"x-amz-date": "20130524T240000Z"},
        {"x-amz-date": "20130524T000060Z"},
        {"x-amz-date": "00000524T000000Z"},
        {"x-amz-date": "\u0662\u0660130524T000000Z"},
        {"date": "yesterday"},
        {"date": "Fri, 24 May 99999 00:00:00 GMT"},
    ],
)
def test_no_moment(headers):
    with pytest.raises(S3Error) as caught:
        request_moment(headers)
    assert caught.value.code == "AccessDenied"
    assert caught.value.message == "AWS authentication requires a valid Date or x-amz-date header"


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text):
    try:
        request_moment({"date": text})
    except S3Error as error:
        assert error.code == "AccessDenied"


@given(st.datetimes())
def test_stamps_are_read_back(date):
    text = f"{date.year:04}{date:%m%dT%H%M%SZ}"
    moment = parse_stamp(text)
    assert moment is not None
    assert iso_time(moment.seconds) == f"{date.year}-{date:%m-%dT%H:%M:%SZ}" or date.year < 1000


def test_days():
    assert is_day("20240229")
    assert not is_day("20230229")
    assert not is_day("2023022")
