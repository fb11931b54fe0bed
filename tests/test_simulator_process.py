"""The simulator as a process: command line, TLS, drain, timing on the wire."""

import datetime
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.simulator.background import in_background
from tools.simulator.cli import parse
from tools.simulator.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent
STREAM = {"prompt": "Hello", "max_tokens": 40, "ignore_eos": True, "stream": True}


@contextmanager
def simulator(*flags: str, env: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A simulator process on a free loopback port: the process, its URL, and its log until then."""
    command = [sys.executable, "-m", "tools.simulator", *flags, "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stderr is not None
            log = list[str]()
            for line in process.stderr:
                log.append(line)
                if found := re.search(r"listening on (https?://\S+:\d+)", line):
                    yield process, found[1], log
                    break
            else:
                pytest.fail(f"the simulator did not start: {log}")
        finally:
            process.kill()


def test_vllms_command_line_as_kserve_writes_it_starts_it() -> None:
    kserve = ["serve", "/mnt/models", "--served-model-name", "qwen", "publishers/ns/models/qwen"]
    manifest = ["--dtype=half", "--max-model-len=2048", "--tensor-parallel-size", "1"]
    manifest += ["--gpu-memory-utilization", "0.85", "--enforce-eager", "--no-enable-prefix-caching"]
    with simulator(*kserve, *manifest, env={"POD_NAME": "qwen-kserve-0"}) as (process, url, log):
        card = httpx.get(f"{url}/v1/models")
        names = [one["id"] for one in card.json()["data"]]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert names == ["qwen", "publishers/ns/models/qwen"]
    assert card.json()["data"][0]["root"] == "/mnt/models"
    assert card.json()["data"][0]["max_model_len"] == 2048
    assert card.headers["x-inference-pod"] == "qwen-kserve-0"
    told = "".join(log)
    assert all(f"ignored: {flag}\n" in told for flag in ("--dtype=half", "--tensor-parallel-size 1", "--enforce-eager"))
    assert "stand-in" in told


def test_unknown_flags_take_their_values_with_them_and_known_ones_keep_theirs() -> None:
    line = "--swap-space -1 --model m --override {} --tensor_parallel_size 2 --max_model_len 8K -O0"
    settings, ignored = parse([*line.split(), "--served-model-name", "a", "b"])
    assert (settings.model, settings.served_names, settings.max_model_len) == ("m", ("a", "b"), 8192)
    assert ignored == ["--swap-space -1", "--override {}", "--tensor-parallel-size 2", "-O0"]


def test_without_a_served_name_the_model_is_the_name() -> None:
    assert parse(["/mnt/models", "--port", "9"])[0].served_names == ("/mnt/models",)
    assert parse(["--model=x/y"])[0].served_names == ("x/y",)


@pytest.mark.parametrize(
    "flags", [["--port", "x"], ["--max-model-len", "-5"], ["--itl-ms", "-1"], ["--ttft-ms", "inf"]]
)
def test_a_bad_value_of_a_known_flag_is_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(flags)
    assert end.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_it_needs_nothing_but_aiohttp_and_prometheus_client() -> None:
    script = "import sys, tools.simulator.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    owners = metadata.packages_distributions()
    used = {canonicalize_name(owner) for name in done.stdout.split() for owner in owners.get(name, [])}
    # The interpreter's own start-up files load the last two.
    beyond = used - closure("aiohttp") - closure("prometheus-client") - {"llmisvc-conformance", "setuptools"}
    assert "aiohttp" in used
    assert beyond == set()


def closure(distribution: str) -> set[str]:
    """A distribution and all that it requires here."""
    found, open_ends = set[str](), [canonicalize_name(distribution)]
    while open_ends:
        name = open_ends.pop()
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                open_ends.append(canonicalize_name(requirement.name))
    return found


def test_a_drain_refuses_new_connections_and_finishes_running_streams() -> None:
    with simulator("--ttft-ms", "0", "--itl-ms", "25") as (process, url, _), httpx.Client(timeout=20) as client:
        idle = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        with idle, client.stream("POST", f"{url}/v1/completions", json=STREAM) as reply:
            lines = reply.iter_lines()
            first = next(lines)
            process.send_signal(signal.SIGTERM)
            assert refused(url)
            assert process.poll() is None
            idle.settimeout(5)
            assert idle.recv(1) == b""  # an idle connection is closed at once
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert len([first, *rest]) == 40 + 1
        assert process.wait(10) == 0


def refused(url: str) -> bool:
    """Whether new connections come to be refused within two seconds."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.01)
    return False


def test_with_a_shutdown_timeout_of_zero_running_streams_are_cut_as_in_vllm_0_16() -> None:
    flags = ("--ttft-ms", "0", "--itl-ms", "100", "--shutdown-timeout", "0")
    with simulator(*flags) as (process, url, _), httpx.Client(timeout=20) as client:
        with client.stream("POST", f"{url}/v1/completions", json=STREAM) as reply:
            lines = reply.iter_lines()
            next(lines)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
        assert process.wait(10) == 0


def test_headers_come_at_once_tokens_at_their_time() -> None:
    settings = Settings(served_names=("a",), model="a", host="127.0.0.1", port=0, ttft_ms=200, itl_ms=20)
    with in_background(settings) as url, httpx.Client(timeout=20) as client:
        started = time.monotonic()
        with client.stream("POST", f"{url}/v1/completions", json={**STREAM, "max_tokens": 11}) as reply:
            headers = time.monotonic() - started
            times = [time.monotonic() - started for line in reply.iter_lines() if line]
    assert headers < times[0] - 0.05
    assert len(times) == 12
    assert times[0] >= 0.2
    assert times[10] >= 0.2 + 10 * 0.02
    assert times[10] - times[0] >= 0.1  # spread out, not in one piece at the end


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Files with a self-signed certificate for localhost and its key."""
    write_certificate(tmp_path / "tls.crt", tmp_path / "tls.key")
    return tmp_path / "tls.crt", tmp_path / "tls.key"


def write_certificate(cert: Path, key_file: Path) -> int:
    """Write a new self-signed certificate for localhost and its key; returns its serial number."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    key_file.write_bytes(pem)
    return signed.serial_number


def test_tls_with_vllms_flags(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    flags = ("--ssl-certfile", str(cert), "--ssl-keyfile", str(key), "--itl-ms", "0", "--enable-ssl-refresh")
    with simulator(*flags) as (_, url, _):
        assert url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(base_url=url.replace("127.0.0.1", "localhost"), verify=trusting) as client:
            body = client.post("/v1/completions", json={"prompt": "Hello", "max_tokens": 2}).json()
            assert body["usage"]["completion_tokens"] == 2
            with client.stream("POST", "/v1/completions", json={**STREAM, "max_tokens": 3}) as reply:
                parts = reply.read().decode().split("\n\n")
        assert [json.loads(part[6:])["object"] for part in parts[:3]] == ["text_completion"] * 3
        with pytest.raises(httpx.HTTPError):
            httpx.get(url.replace("https", "http") + "/health")


@pytest.mark.parametrize("refresh", [True, False])
def test_a_renewed_certificate_is_used_only_with_refresh(certificate: tuple[Path, Path], refresh: bool) -> None:
    cert, key = certificate
    flags = ["--ssl-certfile", str(cert), "--ssl-keyfile", str(key), "--host", "127.0.0.1", "--port", "0"]
    settings, ignored = parse([*flags, *(["--enable-ssl-refresh"] if refresh else [])])
    assert not ignored
    with in_background(settings) as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        before = serial(address)
        renewed = write_certificate(cert, key)
        assert serial(address) == (renewed if refresh else before)
        cert.write_text("half a file")
        assert serial(address) == (renewed if refresh else before)


def serial(address: tuple[str, int]) -> int:
    """Serial number of the certificate that a server presents."""
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(address, timeout=10).encode()).serial_number


def test_an_api_key_is_needed_below_v1_only() -> None:
    settings, ignored = parse(["--api-key", "one", "two", "--host", "127.0.0.1", "--port", "0"])
    assert not ignored
    with in_background(settings) as url, httpx.Client(base_url=url) as client:
        for key in (None, "three", "onetwo"):
            reply = client.get("/v1/models", headers={"Authorization": f"Bearer {key}"} if key else {})
            assert (reply.status_code, reply.json()) == (401, {"error": "Unauthorized"})
        assert client.get("/v1/models", headers={"Authorization": "Bearer two"}).status_code == 200
        assert client.get("/health").status_code == client.get("/metrics").status_code == 200


def test_request_ids_are_sent_back_when_asked_for() -> None:
    settings, _ = parse(["--enable-request-id-headers", "--host", "127.0.0.1", "--port", "0"])
    with in_background(settings) as url:
        assert httpx.get(f"{url}/health", headers={"X-Request-Id": "one"}).headers["x-request-id"] == "one"
        assert len(httpx.get(f"{url}/health").headers["x-request-id"]) == 32


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(served_names=("a",), model="a", host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(OSError, match="address already in use"), in_background(settings):
            pass
