"""`--prove`: every case is seen to pass, to fail under its fault for the right reason, and to pass again."""

from typing import Any

from tests.frame.checkout import Checkout, Session
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode
from tools.report.record import ProofRecord

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
from collections.abc import Iterator

from tools.faults.fault import fault

leak, flood = file_fault("leak"), file_fault("flood")

@fault()
def invisible(service) -> Iterator[None]:
    """Breaks something that nobody sees."""
    raise Violation("the fault in effect", "nothing of it")
    yield

@fault()
def unending(service) -> Iterator[None]:
    """Breaks something that stays broken."""
    with leak(service):
        yield
    raise OSError("no way back")

@fault()
def traces(service) -> Iterator[None]:
    """Breaks something, and leaves half of it."""
    yield
    open("state/traces", "w").close()

@case("prove-proven", fault=[leak.shows("no file leak", "a file")])
def test_proven(service):
    """A promise whose case fails as it should."""
    holds("leak", service)

@case("prove-twice", fault=[leak.shows("no file leak"), flood.shows("no file flood")])
def test_twice(service):
    """A promise that two faults break."""
    holds("leak", service)
    holds("flood", service)

@case("prove-half", fault=[leak.shows("no file leak"), flood.shows("no file flood")])
def test_half(service):
    """A promise that only one of its faults breaks."""
    holds("leak", service)

@case("prove-immune", fault=[leak.shows("no file leak")])
def test_immune(service):
    """A promise that the fault does not break."""

@case("prove-breaks", fault=[leak.shows("no file leak")])
def test_breaks(service):
    """A promise whose case cannot tell under the fault."""
    try:
        holds("leak", service)
    except Violation:
        raise OSError("no route") from None

@case("prove-vague", fault=[leak.shows("no file leak", "the plumber")])
def test_vague(service):
    """A promise whose case fails without saying why."""
    holds("leak", service)

@case("prove-sick", fault=[leak.shows("no file leak")])
def test_sick(service):
    """A promise that is broken without any fault."""
    check(False, "health", "none")

@case("prove-elsewhere", requires=[feature("leader-worker-set")], fault=[leak.shows("no file leak")])
def test_elsewhere(service):
    """Only clusters with an addition can do that."""

@case("prove-invisible", fault=[invisible.shows("nothing")])
def test_invisible(service):
    """A promise whose fault does not show."""

@case("prove-lasting", fault=[unending.shows("no file leak")])
def test_lasting(service):
    """A promise whose fault cannot be taken out."""
    holds("leak", service)

@case("prove-traces", fault=[traces.shows("of traces")])
def test_traces(service, under_fault):
    """A promise that is broken for good."""
    check(not under_fault() and not os.path.exists("state/traces"), "nothing of traces", "they are there")
'''
# What is wrong with each proof; nothing where it is one.
PROBLEMS = {
    ("prove-proven", "leak"): "",
    ("prove-twice", "leak"): "",
    ("prove-twice", "flood"): "",
    ("prove-half", "leak"): "",
    ("prove-half", "flood"): "under the fault it passed instead of failing",
    ("prove-immune", "leak"): "under the fault it passed instead of failing",
    ("prove-breaks", "leak"): "under the fault it broke instead of failing: ",
    ("prove-vague", "leak"): "under the fault it failed without saying 'the plumber':\n",
    ("prove-sick", "leak"): "it did not pass before the fault: failed: expected:       health\n",
    ("prove-elsewhere", "leak"): "",
    ("prove-invisible", "invisible"): "the fault invisible could not be put in, or not be seen: ",
    ("prove-lasting", "unending"): "the fault unending could not be taken out: no way back",
    ("prove-traces", "traces"): "it did not pass again after the fault: failed: ",
}


def test_every_way_not_to_prove_is_told_apart(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES)
    session = prove(checkout, fake_cluster, "--timeout=cases-recovery=0.2")
    proofs = {(each["case"], each["fault"]): each for each in session.written("prove.json")["proofs"]}
    assert proofs.keys() == PROBLEMS.keys()
    wrong = {key: each["problem"] for key, each in proofs.items() if not each["problem"].startswith(PROBLEMS[key])}
    assert wrong == {}
    left_out = {key for key, each in proofs.items() if each["left_out"]}
    assert left_out == {("prove-elsewhere", "leak")}
    assert {key for key, each in proofs.items() if each["proven"]} == {
        key for key, problem in PROBLEMS.items() if not problem
    } - left_out
    assert_proof_is_whole(proofs["prove-proven", "leak"])
    assert_counted(session)
    # Each fault was in effect once for all the cases that it breaks; `unending` is made of a leak of its own.
    assert sorted(checkout.notes()) == sorted(
        ["cluster up", "flood in", "flood out", "leak in", "leak out", "leak in", "leak out", "cluster down"]
    )


def assert_proof_is_whole(proof: dict[str, Any]) -> None:
    assert proof["words"] == ["no file leak", "a file"]
    assert proof["failure"].startswith("expected:       no file leak\nobserved:       there is one in llmisvc-")
    assert proof["accelerator"] == "gpu"


def assert_counted(session: Session) -> None:
    """A case is proven when all of its faults prove it; one that is left out counts nowhere."""
    written = session.written("prove.json")
    assert (written["proven"], written["selected"], written["cases"]) == (2, 10, 11)
    assert written["rate"] == 0.2
    assert session.record.proof == ProofRecord(proven=2, selected=10, cases=11)
    assert "proven: 2 of 10 cases selected, 11 there are" in session.output
    assert session.status == ExitCode.INCONCLUSIVE
    outcomes = [(each.name, each.outcome) for each in session.record.cases]
    assert ("prove-half", Outcome.BROKEN) in outcomes
    assert ("prove-half", Outcome.PASSED) in outcomes
    assert ("prove-elsewhere", Outcome.NOT_SUPPORTED) in outcomes
    immune = next(each for each in session.record.cases if each.name == "prove-immune")
    assert immune.message == "prove-immune is not proven by leak: under the fault it passed instead of failing"


STOPPED = '''
from collections.abc import Iterator

from tools.faults.fault import fault

leak, quake = file_fault("leak"), file_fault("quake", Scope.CLUSTER)

@fault()
def halfway(service) -> Iterator[None]:
    """Breaks something, and cannot be seen; what it broke stays."""
    open("state/broken", "w").close()
    raise Violation("the fault in effect", "half of it")
    yield

@case("prove-halfway", fault=[halfway.shows("words")])
def test_halfway(service):
    """A promise that stays broken after its fault."""
    os.makedirs("state", exist_ok=True)
    check(not os.path.exists("state/broken"), "it whole", "it is broken")

@case("prove-leak", fault=[leak.shows("no file leak")])
def test_leak(service):
    """A promise that comes later, and could be proved."""
    holds("leak", service)

@case("prove-quake", fault=[quake.shows("no file quake")])
def test_quake(service):
    """A promise that comes last, and could be proved."""
    holds("quake", service)
'''


def test_what_may_still_be_broken_is_not_used_for_further_proofs(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", STOPPED)
    session = prove(checkout, fake_cluster, "--timeout=cases-recovery=0.2")
    problems = {each["case"]: each["problem"] for each in session.written("prove.json")["proofs"]}
    assert problems["prove-halfway"].startswith("the fault halfway could not be put in, or not be seen: expected:")
    for name in ("prove-leak", "prove-quake"):
        assert problems[name].startswith("it was not tried: what halfway broke may still be broken; the fault halfway")
    assert session.outcomes == {
        "prove-halfway": Outcome.BROKEN,
        "prove-leak": Outcome.NOT_RUN,
        "prove-quake": Outcome.NOT_RUN,
    }
    assert checkout.notes() == ["cluster up", "cluster down"]


RESUMED = '''
leak, flood = file_fault("leak"), file_fault("flood")

@case("prove-first", fault=[leak.shows("no file leak")])
def test_first(service):
    """A promise whose case fails as it should."""
    holds("leak", service)

@case("prove-later", fault=[flood.shows("no file flood")])
def test_later(service):
    """A promise whose case fails as it should, once it is mended."""
    if os.path.exists("state/mended"):
        holds("flood", service)
'''


def test_what_is_proven_is_taken_over_by_a_resumed_run_of_the_same_suite(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.suite("pool", RESUMED)
    first = prove(checkout, fake_cluster)
    assert (first.written("prove.json")["proven"], first.written("prove.json")["selected"]) == (1, 2)
    noted = len(checkout.notes())
    state = checkout.path / "state"
    (state / "suite").write_text("decaf")
    refused = prove(checkout, fake_cluster, f"--prove-resume={first.reports}")
    assert refused.status == ExitCode.MISUSE
    assert "expected:       the same suite" in refused.output
    assert "next:           --prove without --prove-resume" in refused.output
    assert checkout.notes()[noted:] == []
    (state / "suite").unlink()
    (state / "mended").touch()
    # Workers know what is proven already, too.
    second = prove(checkout, fake_cluster, f"--prove-resume={first.reports}", "-n2")
    assert checkout.notes()[noted:] == ["cluster up", "flood in", "flood out", "cluster down"]
    assert second.status == ExitCode.REHEARSAL
    written = second.written("prove.json")
    assert (written["proven"], written["selected"], written["rate"]) == (2, 2, 1.0)
    assert [each["case"] for each in written["proofs"]] == ["prove-first", "prove-later"]


def test_parts_are_all_groups_and_each_once(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES)
    parts = [listed(prove(checkout, fake_cluster, "--collect-only", "-q", f"--prove-part={each}/2")) for each in (0, 1)]
    assert len({*parts[0], *parts[1]}) == len([*parts[0], *parts[1]]) == len(PROBLEMS)
    faults = [{each.rpartition("[")[2].partition("-")[0] for each in part} for part in parts]
    assert faults[0] | faults[1] == {fault for _, fault in PROBLEMS}
    assert not faults[0] & faults[1]


SHARED = '''
from pathlib import Path

leak, flood, quake = file_fault("leak"), file_fault("flood"), file_fault("quake", Scope.CLUSTER)

def meets(mine, other):
    """Wait until the other fault was in effect beside this one."""
    Path("state", mine).touch()
    deadline = time.monotonic() + 20
    while not Path("state", other).exists():
        check(time.monotonic() < deadline, f"{other} beside {mine}", "it did not come")
        time.sleep(0.01)

@case("prove-leak", fault=[leak.shows("no file leak")])
def test_leak(service, under_fault):
    """A promise that only this service's fault breaks."""
    if under_fault():
        meets("leak-met", "flood-met")
    holds("leak", service)

@case("prove-flood", fault=[flood.shows("no file flood")])
def test_flood(service, under_fault):
    """Another promise that only this service's fault breaks."""
    if under_fault():
        meets("flood-met", "leak-met")
    holds("flood", service)

@case("prove-quake", fault=[quake.shows("no file quake")])
def test_quake(service):
    """A promise whose fault breaks more than this service."""
    holds("quake", service)

@case("prove-tremor", fault=[quake.shows("no file quake")])
def test_tremor(service):
    """Another promise that this fault breaks."""
    holds("quake", service)
'''


def test_faults_of_a_service_run_beside_each_other_and_those_of_the_cluster_alone(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.suite("pool", SHARED)
    session = prove(checkout, fake_cluster, "-n2")
    assert session.written("prove.json")["rate"] == 1.0
    assert session.status == ExitCode.REHEARSAL
    notes = checkout.notes()
    assert sorted(notes[1:5]) == ["flood in", "flood out", "leak in", "leak out"]
    assert {notes[1], notes[2]} == {"flood in", "leak in"}
    assert notes[5:] == ["quake in", "quake out", "cluster down"]


def listed(session: Session) -> list[str]:
    return [line for line in session.output.splitlines() if "::" in line]


def prove(checkout: Checkout, cluster: FakeCluster, *options: str) -> Session:
    """Prove all cases for GPUs, on the local cluster."""
    checkout.local(cluster)
    return checkout.session("-m", "gpu", f"--profile={checkout.profile()}", "--prove", *options)
