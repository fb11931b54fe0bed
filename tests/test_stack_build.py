"""Building: complete or absent, once, resumable, by one build at a time. With parts that take no time to make."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.progress import Steps
from tools.stack import directory
from tools.stack.build import ensure_parts
from tools.stack.parts import Part, PartStore
from tools.stack.plan import Workshop, stack_key
from tools.stack.procs import run_logged


class Shop:
    """Parts that count how often they are made, and the lines that a build shows."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.made: list[str] = []
        self.screen = io.StringIO()

    def part(self, name: str, text: str = "content", *, fail: Callable[[], None] = lambda: None) -> Part:
        def make(_workshop: Workshop, out: Path) -> Mapping[str, object]:
            self.made.append(name)
            (out / "bin").mkdir()
            (out / "bin" / name).write_text(text)
            fail()
            return {"version": text}

        return Part(name, {"text": text}, make)

    def build(self, *parts: Part) -> directory.Stack:
        return ensure_parts(parts, self.cache, Steps(Console(file=self.screen, width=200)))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "cache")


def test_a_second_build_makes_nothing(shop: Shop) -> None:
    parts = shop.part("one"), shop.part("two")
    first = shop.build(*parts)
    assert shop.build(*parts) == first
    assert shop.made == ["one", "two"]
    assert first.bin("one").read_text() == "content"


def test_a_changed_input_makes_only_its_own_part_again(shop: Shop) -> None:
    before = shop.build(shop.part("one"), shop.part("two"))
    after = shop.build(shop.part("one"), shop.part("two", "changed"))
    assert shop.made == ["one", "two", "two"]
    assert (before.bin("two").read_text(), after.bin("two").read_text()) == ("content", "changed")
    assert after.versions == {"one": "content", "two": "changed"}


def test_a_failed_step_leaves_no_stack_and_no_half_made_part_and_the_next_build_goes_on_there(shop: Shop) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        shop.build(shop.part("one"), shop.part("two", fail=fail))
    assert not list((shop.cache / "parts").glob("*two*"))
    assert not (shop.cache / "stack").exists()
    shop.build(shop.part("one"), shop.part("two"))
    assert shop.made == ["one", "two", "two"]


def test_a_failed_program_is_told_with_the_end_of_its_log_and_where_that_is(shop: Shop) -> None:
    def make(workshop: Workshop, _out: Path) -> Mapping[str, object]:
        run_logged(["sh", "-c", "seq 40; echo the reason; exit 3"], workshop.log)
        return {}

    with pytest.raises(UserError) as told:
        shop.build(Part("broken", {}, make))
    assert "status 3" in told.value.observed
    screen = shop.screen.getvalue()
    assert "the reason" in screen
    assert " 12\n" not in screen
    assert str(shop.cache / "logs/broken.log") in screen


def test_a_directory_without_record_is_not_a_part(shop: Shop) -> None:
    part = shop.part("one")
    store = PartStore(shop.cache / "parts")
    store.path(part).mkdir(parents=True)
    assert not store.has(part)


def test_what_a_killed_build_left_is_swept(shop: Shop) -> None:
    left = shop.cache / "parts" / ".one-abcdef"
    left.mkdir(parents=True)
    shop.build(shop.part("one"))
    assert not left.exists()


def test_a_file_that_is_not_what_was_built_is_found_and_built_again(shop: Shop) -> None:
    parts = shop.part("one"), shop.part("two")
    stack = shop.build(*parts)
    damaged = stack.bin("two")
    damaged.chmod(0o644)
    damaged.write_text("other length")
    assert "bin/two" in directory.flaw(stack.root)
    assert shop.build(*parts).bin("two").read_text() == "content"
    assert shop.made == ["one", "two", "two"]
    assert "bin/two is not what was built" in shop.screen.getvalue()


def test_full_verification_finds_a_change_that_keeps_the_size(shop: Shop) -> None:
    stack = shop.build(shop.part("one"))
    stack.bin("one").chmod(0o644)
    stack.bin("one").write_text("CONTENT")
    assert directory.flaw(stack.root) == ""
    assert "bin/one" in directory.flaw(stack.root, full=True)


def test_a_changed_record_is_found(shop: Shop) -> None:
    stack = shop.build(shop.part("one"))
    record = json.loads((stack.root / directory.RECORD).read_text())
    (stack.root / directory.RECORD).write_text(json.dumps({**record, "files": {}}))
    assert directory.RECORD in directory.flaw(stack.root)


def test_the_key_covers_inputs_and_needs_and_not_the_order(shop: Shop) -> None:
    one, two = shop.part("one"), shop.part("two")
    assert stack_key([one, two]) == stack_key([two, one])
    assert stack_key([one]) != stack_key([one, two])
    above = Part("above", {}, two.make, needs=(one,))
    assert above.key == Part("above", {}, two.make, needs=(shop.part("one"),)).key
    assert above.key != Part("above", {}, two.make, needs=(shop.part("one", "changed"),)).key


_BUILD = textwrap.dedent("""
    import signal, sys, time
    from pathlib import Path
    from tools.progress import Steps
    from tools.stack.build import ensure_parts
    from tools.stack.parts import Part
    from tools.stack.procs import run_logged
    # A shell's background job starts with Ctrl-C ignored, and so would this test under one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cache = Path(sys.argv[1])
    def make(workshop, out):
        run_logged(["sh", "-c", sys.argv[2]], workshop.log)
        (out / "result").write_text("done")
        return {}
    ensure_parts([Part("slow", {}, make)], cache, Steps())
""")


def _start(cache: Path, script: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _BUILD, str(cache), script]
    return subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)


def _read_until(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), f"never said {text!r}"


def test_of_two_builds_at_once_one_builds_and_the_other_says_that_it_waits(tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    script = f"echo made >> {tmp_path}/made; cat {go}"
    first = _start(tmp_path / "cache", script)
    _read_until(first, "slow")
    second = _start(tmp_path / "cache", script)
    _read_until(second, f"another build is at work in {tmp_path}/cache (process {first.pid})")
    go.write_text("")
    for process in (first, second):
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
    assert (tmp_path / "made").read_text() == "made\n"


def test_an_interrupted_build_ends_its_programs_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    # The program and its own child hold the pipe open for as long as they live.
    process = _start(tmp_path / "cache", f"exec 3> {alive}; echo up >&3; sleep 60 & wait")
    with alive.open() as pipe:
        assert pipe.readline() == "up\n"
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert pipe.read() == ""
        assert time.monotonic() - interrupted < 30
    assert process.returncode != 0
    assert not list((tmp_path / "cache/parts").iterdir())
    assert not (tmp_path / "cache/stack").exists()
