"""Many connections by one command: what it looks like to a shell, and what is read from its words."""

import subprocess
from pathlib import Path

import pytest

from tools.netpolicy.world import Address
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import Target, What
from tools.reach.connect import script, verdicts
from tools.reach.source import measure

# Says what agnhost says, by the port.
AGNHOST = r"""#!/bin/sh
for last; do :; done
case "$last" in
  *:1) exit 0 ;;
  *:2) echo TIMEOUT >&2; exit 1 ;;
  *:3) echo REFUSED >&2; exit 1 ;;
  *:4) echo "OTHER: dial tcp: connect: no route to host" >&2; exit 1 ;;
  *:5) echo "OTHER: read: connection reset by peer" >&2; exit 1 ;;
  *:6) echo "UNKNOWN: bad" >&2; exit 1 ;;
  *:8) echo "sh: permission denied" >&2; exit 126 ;;
  *:7) echo "TIMEOUT: read udp: i/o timeout" >&2; exit 1 ;;
esac
exit 2
"""
WANTED = {
    1: Verdict.ALLOWED,
    2: Verdict.DROPPED,
    3: Verdict.REFUSED,
    4: Verdict.UNREACHABLE,
    5: Verdict.RESET,
    6: Verdict.PROBE_FAILED,
    7: Verdict.DROPPED,
    8: Verdict.PROBE_FAILED,
}


def target(port: int, address: str = "192.0.2.1", protocol: str = "TCP") -> Target:
    return Target(What.SERVER, address, port, "it", ((Address(address), port),), protocol)


@pytest.fixture
def agnhost(tmp_path: Path) -> str:
    path = tmp_path / "agn host"
    path.write_text(AGNHOST)
    path.chmod(0o755)
    return str(path)


def run(command: str, agnhost: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, env={"A": agnhost}).stdout


def test_every_target_gets_the_verdict_of_its_own_words(agnhost: str) -> None:
    asked = [target(port, protocol="UDP" if port == 7 else "TCP") for port in WANTED for _ in range(3)]
    asked = [Target(each.what, f"192.0.2.{n}", each.port, "it", (), each.protocol) for n, each in enumerate(asked)]
    found = verdicts(asked, run(script(asked, 300), agnhost))
    assert {each: found[each] for each in asked} == {each: WANTED[each.port] for each in asked}


def test_what_was_not_printed_is_no_denial() -> None:
    assert verdicts([target(1), target(2)], "0 0 \nsh: killed\n9 0 \n") == {
        target(1): Verdict.ALLOWED,
        target(2): Verdict.PROBE_FAILED,
    }


def test_datagrams_are_long_enough_for_a_dns_server_to_answer() -> None:
    command = script([target(53, protocol="UDP")], 300)
    (data,) = [word.partition("=")[2] for word in command.split() if word.startswith("--udp-data=")]
    assert "--protocol=udp" in command
    assert len(data) >= 12
    # The bit that says "this is an answer" (RFC 1035, 4.1.1): servers are silent to answers.
    assert not data.encode()[2] & 0x80


def test_an_address_of_version_6_is_written_with_brackets() -> None:
    assert "'[2001:db8::1]:80'" in script([target(80, "2001:db8::1")], 300)


class Recorded:
    """A source that answers from a list, and remembers what it was asked."""

    name, end = "recorded", Address("192.0.2.9")

    def __init__(self, *printed: str | ProbeFailed) -> None:
        self.printed, self.asked = list(printed), list[str]()

    def run(self, command: str) -> str:
        self.asked.append(command)
        found = self.printed.pop(0)
        if isinstance(found, ProbeFailed):
            raise found
        return found


def test_drops_are_confirmed_once_and_for_longer() -> None:
    source = Recorded("0 1 TIMEOUT\n1 0 \n2 1 TIMEOUT\n3 1 REFUSED\n", "0 0 \n1 1 TIMEOUT\n")
    asked = [target(port) for port in (10, 11, 12, 13)]
    found = measure({source: asked})
    assert [found[source, each] for each in asked] == [
        Verdict.ALLOWED, Verdict.ALLOWED, Verdict.DROPPED, Verdict.REFUSED,
    ]  # fmt: skip
    assert "--timeout=300ms" in source.asked[0]
    assert "--timeout=1500ms" in source.asked[1]
    assert ["192.0.2.1:10" in source.asked[1], "192.0.2.1:11" in source.asked[1]] == [True, False]


def test_a_prober_that_does_not_work_is_no_denial() -> None:
    source = Recorded(ProbeFailed("gone"), ProbeFailed("gone"))
    assert measure({source: [target(1)]})[source, target(1)] is Verdict.PROBE_FAILED


def test_sources_without_targets_are_nothing() -> None:
    assert measure({}) == {}
