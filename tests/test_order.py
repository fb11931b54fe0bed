"""Cases have one order whatever shuffles, and the harness's own tests, which break things, come after all of them."""

from tests.frame.checkout import Checkout

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
@case("{area}-second")
def test_second(service):
    """The first promise of its file, whatever it is called."""

@case("{area}-first")
def test_first(service):
    """The second promise of its file."""
'''


def test_cases_have_one_order_and_own_tests_come_last(checkout: Checkout) -> None:
    for area in ("server", "pool", "reconcile"):
        checkout.suite(area, CASES.format(area=area))
    (checkout.path / "tests").mkdir()
    (checkout.path / "tests" / "test_faults.py").write_text("def test_breaks(): pass\n")
    session = checkout.session("--collect-only", "-q", "tests", "suites")
    listed = [line for line in session.output.splitlines() if "::" in line]
    assert listed[:12] == [
        f"suites/{area}/test_{area}.py::test_{name}[{accelerator}]"
        for accelerator in ("gpu", "tpu")
        for area in ("reconcile", "pool", "server")
        for name in ("second", "first")
    ]
    assert listed[12:] == ["tests/test_faults.py::test_breaks"]


def test_an_order_can_be_left_to_chance_but_for_what_wants_the_cluster_alone(checkout: Checkout) -> None:
    areas = ("server", "pool", "reconcile", "gateway", "route")
    for area in areas:
        checkout.suite(area, CASES.format(area=area))
    checkout.suite("install", "@pytest.mark.disruptive" + CASES.format(area="install"))
    options = ["--collect-only", "-q", "-m", "gpu", "--shuffle", "--randomly-seed=1"]
    listed = [line for line in checkout.session(*options).output.splitlines() if "::" in line]
    assert sorted(listed) == sorted(
        f"suites/{area}/test_{area}.py::test_{name}[gpu]"
        for area in (*areas, "install")
        for name in ("first", "second")
    )
    assert listed[-1] == "suites/install/test_install.py::test_second[gpu]"
    assert [line.split("/")[1] for line in listed[::2]] != [
        "reconcile",
        "gateway",
        "route",
        "pool",
        "server",
        "install",
    ]
