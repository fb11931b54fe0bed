"""The harness's own tests, which break things, come after all cases."""

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = [f"fixtures.{name}" for name in ("options", "order", "accelerator", "run", "cluster")]\n'
CASES = "def test_one(accelerator): pass\ndef test_two(accelerator): pass\n"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faults_come_after_all_cases_whatever_shuffles(pytester: pytest.Pytester, seed: int) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers =\n    gpu: GPU\n    tpu: TPU\n")
    for directory, name in (("suites/server", "test_server.py"), ("tests/live", "test_faults.py")):
        (pytester.path / directory).mkdir(parents=True)
        (pytester.path / directory / name).write_text(CASES)
    shuffled = ["-p", "randomly", f"--randomly-seed={seed}"]
    result = pytester.runpytest_subprocess(*shuffled, "--collect-only", "-q", "tests/live", "suites")
    listed = [line.split("/")[0] for line in result.outlines if "::" in line]
    assert listed == ["suites"] * 4 + ["tests"] * 4
