"""Contents of stored files, in memory; their metadata are documents of `_storage`. Also the tokens of upload URLs."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from convex_embedded.types import SyscallError

UPLOAD_SECONDS = 3600
_MAX_TOKENS = 10_000


@dataclass(frozen=True)
class StoredFile:
    """One file's content and what describes it."""

    content: bytes
    content_type: str | None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    """What its URL names: never the document's id."""

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    def metadata(self) -> dict[str, Any]:
        """Fields of its document; the checksum is in hexadecimal, as documented."""
        described: dict[str, Any] = {"sha256": self.digest.hex(), "size": float(len(self.content))}
        if self.content_type:
            described["contentType"] = self.content_type
        return described


def check_digest(file: StoredFile, claimed: str) -> bool:
    """Whether the SHA-256 that a client claims, in base64 or hexadecimal, is the file's."""
    return claimed.strip().lower() == file.digest.hex() or claimed.strip() == base64.b64encode(file.digest).decode()


class FileShelf:
    """All files of a deployment, capped."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._by_id: dict[tuple[str, str], StoredFile] = {}
        self._by_key: dict[str, tuple[str, str]] = {}
        self._used_bytes = 0
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def make_room(self, more_bytes: int) -> None:
        """Raises SyscallError when so many bytes more would not fit."""
        if self._used_bytes + more_bytes > self.limit_bytes:
            raise SyscallError(f"File storage is full: at most {self.limit_bytes} bytes for this deployment.")

    def put(self, component: str, storage_id: str, file: StoredFile) -> None:
        """Keep a file whose document is committed."""
        self._by_id[component, storage_id] = file
        self._by_key[file.key] = (component, storage_id)
        self._used_bytes += len(file.content)

    def get(self, component: str, storage_id: str) -> StoredFile | None:
        """By the id of its document."""
        return self._by_id.get((component, storage_id))

    def find(self, key: str) -> StoredFile | None:
        """By what its URL names."""
        place = self._by_key.get(key)
        return None if place is None else self._by_id.get(place)

    def drop(self, component: str, storage_id: str) -> None:
        """Forget a file whose document's removal is committed."""
        file = self._by_id.pop((component, storage_id), None)
        if file is not None:
            del self._by_key[file.key]
            self._used_bytes -= len(file.content)

    def issue_token(self, component: str, now_ms: float) -> str:
        """For one upload URL, valid for an hour."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (component, now_ms + UPLOAD_SECONDS * 1000)
        while len(self._tokens) > _MAX_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def redeem(self, token: str, now_ms: float) -> str | None:
        """The component that asked for the upload URL; None when the token is unknown or too old."""
        component, expires_ms = self._tokens.get(token, ("", 0.0))
        return component if expires_ms > now_ms else None
