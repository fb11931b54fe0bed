"""Bearer tokens of an issuer of a run's own, in the form of a JSON Web Token (RS256)."""

import base64
import json
import time
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tools.secret import Secret

_HOUR = 3600


@dataclass(frozen=True)
class Issuer:
    """An issuer with a key of its own.

    Attributes:
        name: `iss` of its tokens.
    """

    name: str

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @property
    def jwks(self) -> str:
        """Its public key, as those who check tokens want it."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1"}
        return json.dumps({"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]})

    def token(self, subject: str, *, seconds: float = _HOUR) -> Secret:
        """A token that ends in so many seconds; less than nothing for one that has ended."""
        now = int(time.time())
        claims = {"iss": self.name, "sub": subject, "iat": now - _HOUR, "exp": int(now + seconds)}
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': '1'})}.{_part(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return Secret(f"{signed}.{_encoded(signature)}")


def _part(value: dict[str, object]) -> str:
    return _encoded(json.dumps(value).encode())


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
