"""The stand-in hub answers as the real one, and fails as it is told."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from tools.explain import check
from tools.hub.__main__ import serve
from tools.hub.control import Switches
from tools.hub.models import TOKEN, catalogue
from tools.hub.modes import Mode
from tools.hub.server import GIVEN_UP, UNANSWERED
from tools.waiting.eventually import eventually

GATED, OPEN = "google/gemma-2b-it", "Qwen/Qwen2.5-3B-Instruct"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[str, Switches]]:
    """URL of a hub, and its switches."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = tuple(each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    loop = asyncio.new_event_loop()
    address = "127.0.0.1"
    task = loop.create_task(serve(address, "localhost", address, address, ports=(ports[0], ports[1], ports[2])))
    ready = threading.Event()

    def run() -> None:
        loop.call_later(0, ready.set)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    switches = Switches(f"http://{address}:{ports[2]}")
    _until_it_listens(ports[2])
    yield f"http://{address}:{ports[0]}", switches
    loop.call_soon_threadsafe(task.cancel)
    thread.join()


@pytest.fixture
def url(hub: tuple[str, Switches]) -> Iterator[str]:
    """URL of a hub that behaves well, and does so afterwards."""
    yield hub[0]
    for name in (GATED, OPEN):
        hub[1].switch(name, Mode.WELL)


def test_a_model_is_listed_and_its_files_are_given(url: str) -> None:
    told = httpx.get(f"{url}/api/models/{OPEN}/revision/main").json()
    model = catalogue()[OPEN]
    assert told["sha"] == model.commit
    assert {each["rfilename"] for each in told["siblings"]} == set(model.files)
    head = httpx.head(f"{url}/{OPEN}/resolve/{told['sha']}/config.json")
    got = httpx.get(f"{url}/{OPEN}/resolve/{told['sha']}/config.json")
    assert got.content == model.files["config.json"]
    assert int(head.headers["content-length"]) == len(got.content)
    assert head.headers["x-repo-commit"] == told["sha"]
    assert head.headers["etag"] == got.headers["etag"]


def test_a_part_of_a_file_is_given(url: str) -> None:
    content = catalogue()[OPEN].files["model.safetensors"]
    got = httpx.get(f"{url}/{OPEN}/resolve/main/model.safetensors", headers={"Range": "bytes=4-11"})
    assert (got.status_code, got.content) == (206, content[4:12])
    assert got.headers["content-range"] == f"bytes 4-11/{len(content)}"


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), (WITH_TOKEN, 200), ({"Authorization": "Bearer another"}, 401)]
)
def test_files_of_a_gated_model_want_its_token(url: str, headers: dict[str, str], status: int) -> None:
    assert httpx.get(f"{url}/{GATED}/resolve/main/config.json", headers=headers).status_code == status


def test_information_on_a_gated_model_wants_none(url: str) -> None:
    assert httpx.get(f"{url}/api/models/{GATED}").json()["gated"] == "manual"


@pytest.mark.parametrize(
    ("mode", "path", "status"),
    [
        (Mode.OPEN, "config.json", 200),
        (Mode.REFUSED, "config.json", 401),
        (Mode.FORBIDDEN, "config.json", 403),
        (Mode.MISSING, "model.safetensors", 404),
        (Mode.BUSY, "config.json", 429),
        (Mode.DOWN, "config.json", 503),
        (Mode.UNKNOWN_HOST, "model.safetensors", 302),
        (Mode.UNREACHABLE, "model.safetensors", 302),
        (Mode.PRIVATE_AUTHORITY, "config.json", 302),
    ],
)
def test_it_fails_as_it_is_told(hub: tuple[str, Switches], url: str, mode: Mode, path: str, status: int) -> None:
    hub[1].switch(GATED, mode)
    assert hub[1].mode(GATED) is mode
    headers = {} if mode is Mode.OPEN else WITH_TOKEN
    assert httpx.get(f"{url}/{GATED}/resolve/main/{path}", headers=headers).status_code == status
    assert httpx.get(f"{url}/{OPEN}/resolve/main/config.json").status_code == 200


def test_a_stalled_download_goes_on_without_end(hub: tuple[str, Switches], url: str) -> None:
    hub[1].switch(OPEN, Mode.STALLED)
    with httpx.stream("GET", f"{url}/{OPEN}/resolve/main/model.safetensors") as reply:
        assert len(next(reply.iter_raw())) < 10
        assert hub[1].requests()[-1]["status"] == UNANSWERED
    eventually("the hub to see that its client is gone", lambda: _is_given_up(hub[1]), budget=10, in_a_row=1)


def test_what_it_answered_can_be_seen(hub: tuple[str, Switches], url: str) -> None:
    httpx.get(f"{url}/api/models/{OPEN}", headers=WITH_TOKEN)
    last = hub[1].requests()[-1]
    assert (last["path"], last["status"], last["token"]) == (f"/api/models/{OPEN}", 200, True)


def test_a_mode_that_does_not_exist_is_refused(hub: tuple[str, Switches]) -> None:
    answer = httpx.put(f"{hub[1].url}/modes/{OPEN}", content="sulking")
    assert answer.status_code == 400


def _is_given_up(switches: Switches) -> None:
    status = switches.requests()[-1]["status"]
    check(status == GIVEN_UP, f"status {GIVEN_UP}", f"{status}")


def _until_it_listens(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"nothing listens at {port}")
