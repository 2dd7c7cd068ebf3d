from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.signing import SigningKey, signing_key, string_to_sign


@given(key=st.binary(max_size=64), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_is_hmac_sha256(key, text):
    assert SigningKey(key).sign(text) == hmac.digest(key, text.encode(), "sha256").hex()


def test_signing_key_of_aws_example(s3):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, Example: GET Object"""
    scope = "20130524/us-east-1/s3/aws4_request"
    digest = "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
    key = signing_key(s3.secret, "20130524", "us-east-1")
    signature = key.sign(f"AWS4-HMAC-SHA256\n20130524T000000Z\n{scope}\n{digest}")
    assert signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_a_key_signs_again_and_again():
    key = SigningKey(b"secret")
    assert key.sign("a") == key.sign("a") != key.sign("b")
    assert key.matches("a", key.sign("a"))
    assert not key.matches("a", key.sign("b"))


def test_text_that_is_not_latin_1_can_be_shown_but_never_signed():
    assert string_to_sign("stamp", "scope", "\u20ac") != string_to_sign("stamp", "scope", "\u20ac\u20ac")
