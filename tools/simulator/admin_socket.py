"""The door for `admin`: a Unix socket, which no network reaches.

A request is one line, `on NAME`, `off NAME` or `list`; the reply is one line of JSON.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from tools.simulator.faults import Switchboard, named
from tools.simulator.identity import STAND_IN

log = logging.getLogger("simulator")


@contextlib.asynccontextmanager
async def admin_socket(path: str, board: Switchboard) -> AsyncIterator[None]:
    """Listen while the context is open. A path that cannot be had is logged, and the server does without."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            line = await reader.readline()
            writer.write(json.dumps(reply(line.decode("utf-8", "replace"), board)).encode() + b"\n")
            await writer.drain()
        writer.close()

    server = None
    try:
        _make_room(path)
        server = await asyncio.start_unix_server(answer, path)
        Path(path).chmod(0o600)
    except OSError as error:
        log.warning("no admin socket at %s, faults can be given at the start only: %s", path, error)
    try:
        yield
    finally:
        if server is not None:
            server.close()
            with contextlib.suppress(OSError):
                Path(path).unlink()


def reply(line: str, board: Switchboard) -> dict[str, object]:
    """Do what a line says; returns who answers, the faults that are on, and what was wrong with the line."""
    verb, _, name = line.strip().partition(" ")
    problem = None
    try:
        if verb in ("on", "off"):
            fault = named(name.strip())
            board.on(fault) if verb == "on" else board.off(fault)
            log.info("fault %s switched %s", fault, verb)
        elif verb != "list" or name:
            problem = f"not a command: {line.strip()!r}"
    except ValueError as error:
        problem = str(error)
    return {"stand_in": STAND_IN, "active": list(map(str, board.active())), "error": problem}


def _make_room(path: str) -> None:
    """Remove the socket that a killed server left.

    Raises:
        OSError: a living server has it, or it cannot be removed.
    """
    if not Path(path).is_socket():
        return  # a file that is none is left alone; listening there fails
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise OSError("another simulator listens there")
