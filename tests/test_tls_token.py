"""Tokens of an issuer of our own: signed, ended, and checked by the key that it publishes."""

import base64
import json
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tools.tls.token import Issuer


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verify(token: str, jwks: str) -> None:
    key = json.loads(jwks)["keys"][0]
    numbers = [int.from_bytes(decoded(key[each]), "big") for each in ("e", "n")]
    head, claims, signature = token.split(".")
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    public.verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())


def test_its_key_verifies_its_tokens_and_no_others() -> None:
    issuer, other = Issuer("https://a"), Issuer("https://a")
    verify(issuer.token("me"), issuer.jwks)
    with pytest.raises(InvalidSignature):
        verify(other.token("me"), issuer.jwks)


@pytest.mark.parametrize("seconds", [600, -600])
def test_it_ends(seconds: float) -> None:
    claims = json.loads(decoded(Issuer("https://a").token("me", seconds=seconds).split(".")[1]))
    assert (claims["iss"], claims["sub"]) == ("https://a", "me")
    assert abs(claims["exp"] - time.time() - seconds) < 5
