"""Faults of the simulator: what each does to a client, and how they are switched."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.test_simulator_process import CHECKOUT, simulator
from tools.simulator.admin import ask
from tools.simulator.background import in_background
from tools.simulator.cli import parse
from tools.simulator.faults import MEANING, Fault, Switchboard
from tools.simulator.misbehaviour import OTHER_MODEL, SLOWER
from tools.simulator.settings import Settings


@pytest.fixture
def door(tmp_path: Path) -> Path:
    return tmp_path / "admin.sock"


@pytest.fixture
def client(door: Path) -> Iterator[httpx.Client]:
    settings = Settings(("m",), "m", "127.0.0.1", 0, ttft_ms=1, itl_ms=0.1, admin_socket=str(door), ready_after_s=0.5)
    with in_background(settings) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def switch(door: Path, line: str) -> list[str]:
    told = ask(str(door), line)
    assert not told["error"]
    assert "stand-in" in told["stand_in"]
    return list(told["active"])


def complete(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/v1/completions", json={"prompt": "Hello", "max_tokens": 6, "ignore_eos": True, **fields})


def stream(client: httpx.Client) -> list[str]:
    return complete(client, stream=True).text.split("\n\n")[:-1]


def counted(client: httpx.Client, name: str = "vllm:request_success_total") -> float:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name}{{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_every_fault_has_a_meaning_and_can_be_switched(client: httpx.Client, door: Path) -> None:
    assert set(MEANING) == set(Fault)
    for fault in Fault:
        assert switch(door, f"on {fault}") == [fault]
        assert switch(door, f"off {fault}") == []
    assert complete(client).json()["usage"]["completion_tokens"] == 6
    assert stream(client)[-1] == "data: [DONE]"


def test_a_hung_engine_is_healthy_and_gives_no_token_until_it_goes_on(client: httpx.Client, door: Path) -> None:
    switch(door, "on hang")
    replies = list[httpx.Response]()
    waiter = threading.Thread(target=lambda: replies.append(complete(client)))
    waiter.start()
    end = time.monotonic() + 5
    while counted(client, "vllm:num_requests_waiting") < 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert counted(client, "vllm:num_requests_waiting") == 1
    assert counted(client, "vllm:num_requests_running") == counted(client, "vllm:generation_tokens_total") == 0
    assert client.get("/health").status_code == client.get("/v1/models").status_code == 200
    assert not replies
    switch(door, "off hang")
    waiter.join(10)
    assert replies[0].json()["usage"]["completion_tokens"] == 6


def test_a_hang_stops_a_stream_in_the_middle(door: Path) -> None:
    settings = Settings(("m",), "m", "127.0.0.1", 0, ttft_ms=0, itl_ms=20, admin_socket=str(door))
    with in_background(settings) as url:
        body = {"prompt": "Hello", "max_tokens": 50, "ignore_eos": True, "stream": True}
        with httpx.stream("POST", f"{url}/v1/completions", json=body, timeout=0.5) as reply:
            lines = reply.iter_lines()
            next(lines)
            switch(door, "on hang")
            with pytest.raises(httpx.ReadTimeout):
                list(lines)


def test_a_slow_engine_takes_many_times_as_long(client: httpx.Client, door: Path) -> None:
    switch(door, "on slow")
    started = time.monotonic()
    complete(client)
    assert time.monotonic() - started >= SLOWER * (0.001 + 5 * 0.0001)


def test_errors_as_a_status_and_inside_a_200(client: httpx.Client, door: Path) -> None:
    switch(door, "on error-5xx")
    reply = complete(client)
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, 500)
    assert client.get("/v1/models").status_code == 200
    switch(door, "off error-5xx")
    switch(door, "on error-in-body")
    inside = complete(client)
    assert (inside.status_code, inside.json()) == (200, reply.json())
    first, error, done = stream(client)
    assert json.loads(first.removeprefix("data: "))["choices"]
    assert json.loads(error.removeprefix("data: ")) == reply.json()
    assert done == "data: [DONE]"


def test_a_cut_stream_has_no_end(client: httpx.Client, door: Path) -> None:
    switch(door, "on cut-stream")
    body = {"prompt": "Hello", "max_tokens": 6, "ignore_eos": True, "stream": True}
    with client.stream("POST", "/v1/completions", json=body) as reply:
        got = list[str]()
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(line for line in reply.iter_lines() if line)
    assert reply.status_code == 200
    assert complete(client).status_code == 200  # a whole answer has no stream to cut


def test_a_stream_without_its_end_mark_is_complete_but_for_that(client: httpx.Client, door: Path) -> None:
    whole = stream(client)
    switch(door, "on no-done")
    without = stream(client)
    assert len(without) == 6 == len(whole) - 1
    assert '"finish_reason":"length"' in without[-1]


def test_a_stream_with_a_length_has_the_right_one(client: httpx.Client, door: Path) -> None:
    switch(door, "on content-length")
    reply = complete(client, stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "transfer-encoding" not in reply.headers
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert reply.text.endswith("data: [DONE]\n\n")


def test_garbage_and_another_model(client: httpx.Client, door: Path) -> None:
    switch(door, "on garbage")
    body = complete(client).json()
    assert body["choices"][0]["text"] == "!!!!!!"
    assert body["usage"]["completion_tokens"] == 6
    switch(door, "off garbage")
    switch(door, "on wrong-model")
    assert complete(client).json()["model"] == OTHER_MODEL
    assert json.loads(stream(client)[0].removeprefix("data: "))["model"] == OTHER_MODEL
    assert [card["id"] for card in client.get("/v1/models").json()["data"]] == ["m"]


def test_frozen_metrics_stand_still_from_the_moment_of_switching(client: httpx.Client, door: Path) -> None:
    complete(client)
    switch(door, "on frozen-metrics")
    complete(client)
    assert counted(client) == counted(client) == 1
    switch(door, "off frozen-metrics")
    assert counted(client) == 2


def test_renamed_metrics_have_no_name_of_vllms(client: httpx.Client, door: Path) -> None:
    switch(door, "on renamed-metrics")
    text = client.get("/metrics").text
    assert "vllm:" not in text
    assert "vllm_num_requests_waiting{" in text


def test_ready_too_soon_is_healthy_and_cannot_answer_for_a_while(client: httpx.Client, door: Path) -> None:
    switch(door, "on ready-too-soon")
    assert client.get("/health").status_code == 200
    assert complete(client).status_code == 503
    end = time.monotonic() + 5
    while complete(client).status_code != 200 and time.monotonic() < end:
        time.sleep(0.02)
    assert complete(client).status_code == 200
    assert switch(door, "list") == ["ready-too-soon"]


def test_faults_from_flags_and_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_FAULTS", "slow, no-done")
    assert parse(["--fault", "hang"])[0].faults == (Fault.HANG, Fault.SLOW, Fault.NO_DONE)
    monkeypatch.setenv("SIMULATOR_FAULTS", "")
    assert parse([])[0].faults == ()
    with pytest.raises(SystemExit):
        parse(["--fault", "unknown"])


def test_the_command_in_the_pod_switches_and_says_who_answers(door: Path) -> None:
    command = [sys.executable, "-m", "tools.simulator.admin", "--socket", str(door)]

    def admin(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=20)

    assert admin("list").returncode == 1
    with simulator("--admin-socket", str(door), "--fault", "slow") as (_, url, log):
        assert any("faults that are on: slow" in line for line in log)
        assert admin("on", "error-5xx").stdout.split() == ["slow", "error-5xx"]
        assert httpx.post(f"{url}/v1/completions", json={"prompt": "x"}).status_code == 500
        told = admin("off", "error-5xx")
        assert (told.returncode, told.stdout) == (0, "slow\n")
        assert "stand-in" in told.stderr
        assert admin("on", "unknown").returncode == 2
        assert door.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("client")
def test_a_line_that_is_no_command_is_told_so(door: Path) -> None:
    for line in ("", "on", "on nothing", "list all", "away hang"):
        assert ask(str(door), line)["error"], line
    assert switch(door, "list") == []


@pytest.mark.parametrize("place", ["missing/admin.sock", "taken"])
def test_a_server_without_its_admin_socket_serves_all_the_same(
    tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file, and no socket")
    settings = Settings(("m",), "m", "127.0.0.1", 0, admin_socket=str(tmp_path / place))
    with in_background(settings) as url:
        assert httpx.get(f"{url}/health").status_code == 200
    assert "no admin socket" in caplog.text
    assert (tmp_path / "taken").read_text() == "a file, and no socket"


def test_a_dead_servers_socket_is_taken_over_and_a_living_ones_is_not(door: Path) -> None:
    settings = Settings(("m",), "m", "127.0.0.1", 0, admin_socket=str(door))
    with simulator("--admin-socket", str(door)):
        with in_background(settings):
            ask(str(door), "on slow")
        assert ask(str(door), "list")["active"] == ["slow"]
    assert door.exists()  # killed, so it left its socket
    with in_background(settings):
        assert ask(str(door), "list")["active"] == []
    assert not door.exists()


def test_of_two_faults_of_a_stream_the_first_acts_and_off_twice_is_off() -> None:
    board = Switchboard([Fault.NO_DONE, Fault.CUT_STREAM])
    assert board.active() == [Fault.CUT_STREAM, Fault.NO_DONE]
    board.off(Fault.NO_DONE)
    board.off(Fault.NO_DONE)
    assert board.active() == [Fault.CUT_STREAM]
