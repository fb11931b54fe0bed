"""How many streamed tokens a second the model simulator gives on one core.

    python benchmarks/simulator.py [--preset none] [--streams 32] [--tokens 2000] [--rounds 3]

The server is a process of its own with `--ttft-ms 0 --itl-ms 0`, or with a preset, whose model of an engine then sets
the pace: it needs so many streams that the accelerator would give more than is to be measured. This process is the
client, which reads raw sockets and counts events, so that it needs less of a core than the server. Two figures for each
round: tokens per second of wall time, and tokens per second of the server's own CPU time (user and system), which a
busy machine does not spoil. The server has one thread, so the second is what one core can give.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Round:
    """One measurement: seconds, and tokens that arrived as events of their own."""

    wall: float
    server_cpu: float
    client_cpu: float
    tokens: int


def main() -> int:
    """Measure, print a line for each round and one with the machine; exit status 1 when tokens are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="none", help="as the simulator's")
    parser.add_argument("--streams", type=int, default=32, help="requests at the same time")
    parser.add_argument("--tokens", type=int, default=2000, help="tokens of each")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    server, port = start_server(asked.preset, asked.tokens + 100)
    try:
        print(machine())
        asyncio.run(measure(server.pid, port, asked.streams, 100))  # warm-up
        rounds = [asyncio.run(measure(server.pid, port, asked.streams, asked.tokens)) for _ in range(asked.rounds)]
    finally:
        server.terminate()
        server.wait(30)
    for number, one in enumerate(rounds, start=1):
        print(
            f"round {number}: {asked.streams} streams x {asked.tokens} tokens in {one.wall:.2f} s: "
            f"{one.tokens / one.wall:,.0f} tokens/s; server CPU {one.server_cpu:.2f} s: "
            f"{one.tokens / one.server_cpu:,.0f} tokens/s per core; client CPU {one.client_cpu:.2f} s"
        )
    missing = [one for one in rounds if one.tokens != asked.streams * asked.tokens]
    if missing:
        print(f"tokens are missing: {missing}", file=sys.stderr)
    return 1 if missing else 0


def start_server(preset: str, max_model_len: int) -> tuple[subprocess.Popen[str], int]:
    """Start the simulator without delays but a preset's, on a free port; returns the process and the port."""
    command = [sys.executable, "-m", "tools.simulator", "--host", "127.0.0.1", "--port", "0", "--ttft-ms", "0"]
    command += ["--itl-ms", "0", "--served-model-name", "bench", "--max-model-len", str(max_model_len)]
    command += ["--preset", preset, "--admin-socket", ""]
    server = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"listening on http://[\d.]+:(\d+)", line):
            # Its access log goes on; a full pipe would stop it.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return server, int(found[1])
    raise SystemExit(f"the simulator did not start: exit status {server.wait()}")


async def measure(pid: int, port: int, streams: int, tokens: int) -> Round:
    """Run `streams` requests at once and count the token events of all."""
    cpu, own, started = cpu_seconds(pid), time.process_time(), time.perf_counter()
    counts = await asyncio.gather(*(read_stream(port, number, tokens) for number in range(streams)))
    wall = time.perf_counter() - started
    return Round(wall, cpu_seconds(pid) - cpu, time.process_time() - own, sum(counts))


async def read_stream(port: int, number: int, tokens: int) -> int:
    """Ask for one stream and return how many events with a text it had."""
    body = {"model": "bench", "prompt": f"stream {number}", "max_tokens": tokens, "ignore_eos": True, "stream": True}
    payload = json.dumps(body).encode()
    head = "POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nConnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
    count, rest = 0, b""
    while block := await reader.read(2**18):
        block = rest + block
        cut = block.rfind(b"\n\n") + 2 if b"\n\n" in block else 0
        count += block.count(b'data: {"id"', 0, cut)
        rest = block[cut:]
    writer.close()
    return count


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    load = os.getloadavg()[0]
    return (
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
