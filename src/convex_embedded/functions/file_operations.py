"""Storing, reading and deleting files, as functions, upload URLs and actions do it. `files` keeps the contents."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from convex_embedded.functions.files import StoredFile, check_digest
from convex_embedded.functions.frames import maybe, need
from convex_embedded.functions.jobs import STORAGE_TABLE, Effects
from convex_embedded.store import StoreError, Transaction
from convex_embedded.types import SyscallError

if TYPE_CHECKING:
    from convex_embedded.functions.engine import Engine


def new_file(args: Any) -> StoredFile:
    """From the arguments of storageStore. Raises SyscallError."""
    try:
        content = base64.b64decode(need(args, "blob", str), validate=True)
    except binascii.Error as error:
        raise SyscallError(f"Invalid blob: {error}") from error
    file = StoredFile(content, maybe(args, "contentType", str) or None)
    claimed = maybe(args, "sha256", str)
    if claimed is not None and not check_digest(file, claimed):
        raise SyscallError("The SHA-256 of the stored blob is not the one that was given.")
    return file


def find_file(
    engine: Engine, tx: Transaction, component: str, storage_id: str, effects: Effects | None = None
) -> StoredFile | None:
    """The file whose document the transaction sees. Raises SyscallError for what is no storage id."""
    if tx.normalize_id(component, STORAGE_TABLE, storage_id) is None:
        raise SyscallError(f"Invalid storage ID: '{storage_id[:100]}' is not an ID of the table '_storage'.")
    if tx.get(component, storage_id, table=STORAGE_TABLE, system=True) is None:
        return None
    for place, file_id, file in effects.files if effects else ():
        if (place, file_id) == (component, storage_id):
            return file if isinstance(file, StoredFile) else None
    return engine.files.get(component, storage_id)


def storage_url(
    engine: Engine, tx: Transaction, component: str, storage_id: str, effects: Effects | None = None
) -> str | None:
    """Where the file can be fetched; None when it is gone."""
    file = find_file(engine, tx, component, storage_id, effects)
    if file is None:
        return None
    suffix = f"?component={component}" if component else ""
    return f"{engine.url}/api/storage/{file.key}{suffix}"


def store_file(engine: Engine, component: str, file: StoredFile) -> str:
    """Keep a file, outside of any function's transaction; its id. Raises SyscallError when storage is full."""
    engine.files.make_room(len(file.content))
    with engine.store.begin(trusted=True) as tx:
        storage_id = tx.insert(component, STORAGE_TABLE, file.metadata())
        engine.files.put(component, storage_id, file)
        engine.committed(tx.commit())
    return storage_id


def delete_file(engine: Engine, component: str, storage_id: str) -> None:
    """Delete a file, outside of any function's transaction. Raises SyscallError."""
    with engine.store.begin(trusted=True) as tx:
        try:
            tx.delete(component, storage_id, table=STORAGE_TABLE)
        except StoreError as error:
            raise SyscallError(str(error)) from error
        engine.committed(tx.commit())
    engine.files.drop(component, storage_id)
