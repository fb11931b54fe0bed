"""Stand-in for what is outside of a cluster: doors in the fabric that can be knocked at, so that no probe has to leave.

Who connects is let in and sent away again; nothing is served. Runs as a component of the fabric.
"""

import asyncio
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tools.cluster.identity import ANCHOR
from tools.cluster.local.addresses import METADATA
from tools.kube.doors import NAME
from tools.kube.kinds import CONFIG_MAP

if TYPE_CHECKING:
    from tools.cluster.local.addresses import AddressPlan

INTERNET_PORT, METADATA_PORT = 443, 80


def standin_of(plan: "AddressPlan") -> dict[str, Any]:
    """The object by which a local cluster tells of it."""
    doors = {
        "internet": f"{plan.internet}:{INTERNET_PORT}",
        "metadata": f"{METADATA}:{METADATA_PORT}",
        "silent": f"{plan.silent}:{INTERNET_PORT}",
    }
    meta = {"name": NAME, "namespace": ANCHOR}
    return {"apiVersion": CONFIG_MAP.api, "kind": CONFIG_MAP.kind, "metadata": meta, "data": doors}


async def serve(doors: Iterable[str]) -> None:
    """Open doors, each ADDRESS:PORT, until cancelled."""
    for door in doors:
        address, _, port = door.rpartition(":")
        await asyncio.start_server(_send_away, address, int(port))
    await asyncio.Event().wait()


async def _send_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
