"""Who may speak: the admin key, acting as a user, and the refusal of JWTs (no auth provider is configured here)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from convex_embedded.functions.nouns import ANONYMOUS, Identity

_MAX_ATTRIBUTES = 128
NO_PROVIDER = (
    "No auth provider found matching the given token: this deployment has no auth configuration. "
    "Act as a user with the admin key and identity attributes instead."
)


class AuthRefused(Exception):
    """The credentials do not count; `code` is for the HTTP answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def user_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What getUserIdentity() shows: the attributes and tokenIdentifier unless given. Raises AuthRefused."""
    subject, issuer = attributes.get("subject"), attributes.get("issuer", "")
    if not isinstance(subject, str) or not isinstance(issuer, str) or len(attributes) > _MAX_ATTRIBUTES:
        raise AuthRefused("InvalidIdentity", "Identity attributes need a `subject` and an `issuer`, both strings.")
    given = {name: value for name, value in attributes.items() if value is not None}
    return {"tokenIdentifier": f"{issuer}|{subject}", "issuer": issuer, **given}


class Gatekeeper:
    """Checks credentials of one deployment."""

    def __init__(self, admin_key: str) -> None:
        self._admin_key = admin_key

    def authenticate(self, token_type: str, value: str, impersonating: Mapping[str, Any] | None) -> Identity:
        """An Authenticate frame → identity. Raises AuthRefused."""
        if token_type == "None":
            return ANONYMOUS
        if token_type == "Admin":
            self._check_key(value)
            return Identity(admin=True, user=None if impersonating is None else user_attributes(impersonating))
        raise AuthRefused("NoAuthProvider", NO_PROVIDER)

    def identify(self, header: str | None) -> Identity:
        """An Authorization header → identity. Raises AuthRefused."""
        if header is None:
            return ANONYMOUS
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            raise AuthRefused("NoAuthProvider", NO_PROVIDER)
        if scheme.lower() != "convex":
            raise AuthRefused("InvalidAuthHeader", "The Authorization header must be `Convex <admin key>`.")
        value = value.strip()
        if self._is_key(value):
            return Identity(admin=True)
        key, _, encoded = value.rpartition(":")
        self._check_key(key)
        return Identity(admin=True, user=user_attributes(_decode_attributes(encoded)))

    def _is_key(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(errors="replace"), self._admin_key.encode())

    def _check_key(self, value: str) -> None:
        if not self._is_key(value):
            raise AuthRefused("BadAdminKey", "The provided admin key was invalid for this instance.")


def _decode_attributes(encoded: str) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(base64.b64decode(encoded, validate=True), type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise AuthRefused("InvalidIdentity", f"The identity after the key is not base64 of JSON: {error}") from error
