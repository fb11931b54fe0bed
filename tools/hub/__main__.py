"""`python -m tools.hub ADDRESS NAME CONTROL OPERATOR`: serve models, and switches for one operator, until ended."""

import argparse
import asyncio
import ssl
import tempfile
from pathlib import Path

from aiohttp import web

from tools.hub.control import switches
from tools.hub.server import Hub
from tools.install.certificates import issue


async def serve(address: str, name: str, control: str, operator: str, *, ports: tuple[int, int, int]) -> None:
    """Serve until cancelled.

    Args:
        address: where models are served.
        name: the host's name, which its certificate has as well.
        control: address of the switches.
        operator: the only address that the switches answer; to all others it is also the host without a way.
        ports: of HTTP, of HTTPS and of the switches.
    """
    hub = Hub(name, f"{operator}:{ports[0]}")
    runner, controls = web.AppRunner(hub.application()), web.AppRunner(switches(hub, operator))
    try:
        await runner.setup()
        await controls.setup()
        await web.TCPSite(runner, address, ports[0]).start()
        await web.TCPSite(runner, address, ports[1], ssl_context=_unknown_authority(name)).start()
        await web.TCPSite(controls, control, ports[2]).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await controls.cleanup()


def _unknown_authority(name: str) -> ssl.SSLContext:
    issued = issue([name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # the ssl module reads files only
        Path(file.name).write_bytes(issued.key + issued.certificate)
        context.load_cert_chain(file.name)
    return context


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.hub", description=__doc__)
    for argument in ("address", "name", "control", "operator"):
        parser.add_argument(argument)
    parser.add_argument("--ports", default="80,443,9901", help="HTTP, HTTPS, switches")
    given = parser.parse_args()
    http, https, control = map(int, given.ports.split(","))
    asyncio.run(serve(given.address, given.name, given.control, given.operator, ports=(http, https, control)))


if __name__ == "__main__":
    main()
