"""Options that do not go together are refused before anything is done, each in a sentence with a next step.

Sessions run in this process here: they end before anything but the command line was looked at.
"""

import pytest

from tests.frame.checkout import Checkout
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

EXISTING = ["--cluster=existing", "--context=mine", "--profile=gke-t4"]
AUDIT = [*EXISTING, "--target=team/llm", "--read-only"]
REFUSED = [
    (["--cluster=existing", "--profile=gke-t4"], "--context NAME with --cluster existing", "get-contexts"),
    (["--cluster=existing", "--context=mine"], "--profile NAME with --cluster existing", "ls manifests/profiles"),
    (["--context=mine"], "--cluster existing with --context and --kubeconfig", "add --cluster existing"),
    (["--kubeconfig=conftest.py"], "--cluster existing with --context and --kubeconfig", "add --cluster existing"),
    ([*EXISTING, "--kubeconfig=nowhere"], "a file for --kubeconfig", "nowhere"),
    ([*EXISTING, "--ca-file=nowhere"], "a file for --ca-file", "nowhere"),
    ([*EXISTING, "--read-only"], "--target NAMESPACE/NAME with --read-only", "kubectl --context mine get llmisvc"),
    ([*EXISTING, "--target=llm"], "--target NAMESPACE/NAME", "kubectl --context mine get llmisvc"),
    (
        [*EXISTING, "--target=llm", "--kubeconfig=conftest.py"],
        "--target NAMESPACE/NAME",
        "kubectl --kubeconfig conftest.py --context mine get llmisvc --all-namespaces",
    ),
    ([*EXISTING, "--target=team/llm", "--profile=gke-tpu-v6e"], "one profile for the one service", "-m gpu"),
    ([*EXISTING, "--traffic"], "--traffic and --probes together with --read-only", "add --read-only"),
    ([*EXISTING, "--probes"], "--traffic and --probes together with --read-only", "add --read-only"),
    (["--install"], "--install with --cluster existing only", "leave out --install"),
    ([*AUDIT, "--install"], "--install or --read-only", "leave out one of them"),
    (["--allow-disruption=service"], "--allow-disruption with --cluster existing only", "leave it out"),
    ([*EXISTING, "--prove"], "--allow-disruption=service or =cluster with --prove", "add --allow-disruption"),
    ([*AUDIT, "--prove"], "--prove on a service that this run deploys", "leave out --target and --read-only"),
    (["--prove-part=0/10"], "--prove together with --prove-part", "add --prove"),
    (["--prove-resume=reports/1"], "--prove together with --prove-part and --prove-resume", "add --prove"),
    (["--prove", "--prove-part=10/10"], "--prove-part K/N with K from 0 to N-1", "--prove-part 0/10"),
    (["--timeout=service-raedy=5"], "--timeout with the name of a timeout", "did you mean service-ready?"),
    (["--timeout=service-ready"], "--timeout NAME=SECONDS", "--timeout service-ready=240"),
    (["--timeout=service-ready=soon"], "--timeout service-ready to be a number of seconds", "=240"),
    (["--timeout=service-ready=-1"], "--timeout service-ready to be a positive number", "=240"),
    (["--token-env=NO_SUCH_TOKEN"], "a token in the environment variable NO_SUCH_TOKEN", "export NO_SUCH_TOKEN"),
    (["--probe-image=agnhost:2"], "a probe image by digest", "--probe-image REGISTRY/NAME@sha256:DIGEST"),
    (["--profile=gke-t5"], "a profile: gke-t4", "did you mean gke-t4"),
    (["--profile=nowhere.yaml"], "a profile", "nowhere.yaml"),
    (["--profile=gke-t4", "--profile=local-gpu"], "one profile for gpu", "gke-t4 and local-gpu"),
]


@pytest.mark.parametrize(("options", "expected", "helpful"), REFUSED, ids=[" ".join(each[0]) for each in REFUSED])
def test_it_is_refused(
    checkout: Checkout, pytester: pytest.Pytester, options: list[str], expected: str, helpful: str
) -> None:
    told = refusal(pytester, *options)
    assert f"expected:       {expected}" in told
    assert "observed:" in told
    assert helpful in told
    assert not (checkout.path / "reports").exists()


@pytest.mark.usefixtures("checkout")
def test_what_is_no_option_is_refused_with_what_there_is(pytester: pytest.Pytester) -> None:
    told = refusal(pytester, "--cluster=cloud")
    assert "invalid choice: 'cloud' (choose from 'local', 'existing', 'kind')" in told


def test_a_wrong_profile_is_told_with_line_and_column(checkout: Checkout, pytester: pytest.Pytester) -> None:
    path = checkout.profile(mesh="sidcar")
    line = 1 + path.read_text().splitlines().index("mesh: sidcar")
    told = refusal(pytester, f"--profile={path}")
    assert f"frame-gpu.yaml:{line}:1: mesh: sidcar" in told
    assert "did you mean sidecar" in told


def test_a_wrong_file_of_skips_is_told_with_line_and_column(checkout: Checkout) -> None:
    checkout.suite("pool", '@case("pool-sound")\ndef test_sound(service):\n    """A promise that is kept."""\n')
    path = checkout.path / "skips.yaml"
    path.write_text("- {case: pool-sond, reason: It waits., issue: 'https://example.com/1', expires: 2999-12-31}\n")
    session = checkout.session("-m", "gpu", f"--skips={path}")
    assert session.status == ExitCode.MISUSE
    assert "skips.yaml:1:4: [0].case: there is no case 'pool-sond'; did you mean pool-sound" in session.output
    assert session.reports is None


def refusal(pytester: pytest.Pytester, *options: str) -> str:
    """What a session says that is refused."""
    # In a process of its own nothing would have been imported before.
    quiet = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    result = pytester.runpytest_inprocess(*quiet, "-m", "gpu", *options)
    assert result.ret == ExitCode.MISUSE
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    return result.stderr.str()
