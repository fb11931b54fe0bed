"""A case that is not in order stops the run before anything starts, and everything that is wrong is told at once."""

import yaml

from tests.frame.checkout import Checkout, Session, on
from tests.frame.cluster import FakeCluster
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

WRONG = '''
def test_unmarked(service):
    """A promise without a mark."""

@pytest.mark.conformance("pool-by-place")
def test_by_place(service):
    """A promise whose mark has no keywords."""

@pytest.mark.conformance(name="pool-misspelt", level="core", faults=[])
def test_misspelt(service):
    """A promise whose mark has a wrong keyword."""

@case("pool-level", level="important")
def test_level(service):
    """A promise of a level that there is not."""

@case("pool-silent")
def test_silent(service):
    pass

@case("pool-feature", requires=[feature("telepathy")])
def test_feature(service):
    """A promise that needs a feature which nobody detects."""

@case("pool-claim", requires=[claimed("luck")], checks=["fortune"])
def test_claim(service):
    """A promise about what no profile can promise."""

@case("pool-infallible", fault=())
def test_infallible(service):
    """A promise that no fault breaks."""

@case("pool-wordless", fault=[harmless.shows()])
def test_wordless(service):
    """A promise whose failure need not say anything."""

@case("pool-faulty", fault=[harmless])
def test_faulty(service):
    """A promise with a fault without words."""

@case("pool-needy", requires=["a pool"])
def test_needy(service):
    """A promise that needs a text."""

@case("Pool")
def test_name(service):
    """A promise with a name that is no name."""

@case("pool-twice")
def test_once(service):
    """A promise with a name that another one has."""

@case("pool-twice")
def test_again(service):
    """The other promise with this name."""

@pytest.mark.skip
@case("pool-skipped")
def test_skipped(service):
    """A promise that nobody wants to see."""

@pytest.mark.xfail
@case("pool-expected")
def test_expected(service):
    """A promise that is expected to be broken."""

@pytest.mark.skipif(True, reason="always")
@case("pool-sometimes")
def test_sometimes(service):
    """A promise that is only sometimes looked at."""

@case("pool-nowhere")
def test_nowhere(request):
    """A promise that is about no accelerator."""

@pytest.mark.parametrize("size", [1, 2])
@case("pool-sized")
def test_sized(service, size):
    """A promise that is several promises."""

class TestGrouped:
    @case("pool-grouped")
    def test_grouped(self, service):
        """A promise in a class of promises."""
'''


SILENT = """
import pytest

pytest.importorskip("telepathy")
"""
SOUND = '''
@case("pool-sound")
def test_sound(service):
    """A promise with everything that it needs."""
'''
# What is said of each, by the line of its `def` or first decorator.
SAID = [
    ("def test_unmarked", "test_unmarked needs one @pytest.mark.conformance(…), and has 0"),
    ('@pytest.mark.conformance("pool-by-place")', "the mark conformance takes keywords only"),
    ('name="pool-misspelt"', "mark conformance has no faults; it has checks, fault, level, name, requires"),
    ("pool-level", "level is 'important'; it is core or extended"),
    ("pool-silent", "its docstring is not a sentence"),
    ("pool-feature", "no such feature: telepathy"),
    ("pool-claim", "no such claim of a profile: luck"),
    ("pool-claim", "no such claim of a profile: fortune"),
    ("pool-infallible", "it has no fault: a check that cannot fail is a bug"),
    ("pool-wordless", "fault harmless shows no words"),
    ("pool-faulty", "fault has harmless; it takes FAULT.shows(WORDS)"),
    ("pool-needy", "requires has 'a pool', which is no requirement"),
    ('"Pool"', "name 'Pool' is not of the form words-with-dashes"),
    ("mark.skip\n", "mark skip: only manifests/skips.yaml leaves cases out, with reason and date"),
    ("mark.xfail", "mark xfail: only manifests/skips.yaml leaves cases out, with reason and date"),
    ("mark.skipif", "mark skipif: only manifests/skips.yaml leaves cases out, with reason and date"),
    ("parametrize", "it is parametrized by size: a case is one promise, with one name"),
    ("pool-grouped", "a case is a function: a class hides what cases share"),
    ("pool-nowhere", "it is about no accelerator: it uses neither a service nor the fixture accelerator"),
]


def test_all_that_is_wrong_is_told_with_its_place(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    path = checkout.suite("pool", WRONG)
    (path.parent / "test_gone.yaml").touch()
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.status == ExitCode.MISUSE
    lines = path.read_text().splitlines(keepends=True)
    places = {words: 1 + next(number for number, line in enumerate(lines) if where in line) for where, words in SAID}
    told = [f"suites/pool/test_pool.py:{place}: {words}" for words, place in places.items()]
    once, again = (1 + number for number, line in enumerate(lines) if "pool-twice" in line)
    told += [
        f"suites/pool/test_pool.py:{once}, suites/pool/test_pool.py:{again}: two cases are named pool-twice",
        "suites/pool/test_gone.yaml: no case has this manifest",
    ]
    found = session.output.partition("cases that are not in order\n")[2].splitlines()
    assert sorted(line.strip() for line in found if line.strip()) == sorted(told)
    assert_nothing_was_started(session, checkout, fake_cluster)


def test_a_file_of_cases_cannot_leave_itself_out(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", SOUND)
    checkout.suite("route", SILENT)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.status == ExitCode.INTERRUPTED
    assert "could not import 'telepathy'" in session.output
    assert "only manifests/skips.yaml leaves cases out" in session.output
    assert session.record.ended_by == "not all files of cases could be collected"
    assert session.cases["pool-sound"].message == f"the run ended before it: {session.record.ended_by}"
    assert fake_cluster.asked == []


def test_a_file_that_is_not_selected_may_be_wrong_until_its_names_are_needed(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.suite("pool", SOUND)
    checkout.suite("route", WRONG)
    selected = [*on(fake_cluster, checkout), "-m", "gpu", "suites/pool"]
    assert checkout.session(*selected, "--collect-only").status == 0
    skips = checkout.path / "skips.yaml"
    entry = {"case": "pool-sound", "reason": "It waits.", "issue": "https://example.com/1", "expires": "2999-12-31"}
    skips.write_text(yaml.safe_dump([entry]))
    session = checkout.session(*selected, f"--skips={skips}")
    assert session.status == ExitCode.MISUSE
    assert "test_unmarked needs one @pytest.mark.conformance" in session.output
    assert_nothing_was_started(session, checkout, fake_cluster)


def assert_nothing_was_started(session: Session, checkout: Checkout, cluster: FakeCluster) -> None:
    assert cluster.asked == []
    assert "Traceback" not in session.output
    assert session.reports is None, list(checkout.path.glob("reports/*/*"))
