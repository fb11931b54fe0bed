"""`python -m tools.report.render_allure RUN`: Allure's report of a run, as one file that needs no server.

The page that Allure makes asks an analytics service to count its readers. Reports of clusters are nobody else's
business, and a machine without a way out would wait for it: that part is taken out.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.report import allure_cli
from tools.report.allure import CATEGORIES

REPORT = "allure-report"
RESULTS = "allure-results"
_GROUPS = ["epic", "feature", "story"]
_ANALYTICS = re.compile(
    r"<script async src=\"https://www\.googletagmanager\.com/[^>]*></script>\s*<script>.*?</script>", re.DOTALL
)


def main(arguments: list[str]) -> int:
    """Render; print where the report is.

    Args:
        arguments: the run's directory.

    Returns:
        exit status.
    """
    try:
        if len(arguments) != 1:
            raise UserError("a run's directory", " ".join(arguments) or "nothing", next_step="make report RUN=ID")
        print(f"Allure's report: {render(Path(arguments[0]))}")
    except UserError as error:
        print(f"the report was not rendered\n{error}", file=sys.stderr)
        return 2
    return 0


def render(run: Path) -> Path:
    """Make Allure's report of a run from its results.

    Args:
        run: directory of the run's reports.

    Returns:
        the page.

    Raises:
        UserError: there are no results, or Allure cannot be had or fails.
    """
    run = run.resolve()  # Allure takes paths from a directory of its own
    results = run / RESULTS
    if not any(results.glob("*-result.json")):
        raise UserError(
            f"Allure's results in {results}",
            "there are none",
            cause="it is not the directory of a run, or a run of proofs only, which has no results of its own",
            next_step="make gpu, or make report RUN=ID with a directory of reports/",
        )
    command = allure_cli.command()
    with tempfile.TemporaryDirectory(dir=run, prefix=".allure-") as scratch:
        made = Path(scratch) / REPORT
        config = Path(scratch) / "allurerc.json"
        config.write_text(json.dumps(configuration(results)))
        paths = ["--config", str(config), "--cwd", str(run), "--output", str(made)]
        done = subprocess.run(
            [*command, "generate", *paths, str(results.resolve())], capture_output=True, text=True, check=False
        )
        page = made / "index.html"
        if done.returncode or not page.is_file():
            told = " ".join((done.stderr or done.stdout).split())[-500:]
            raise UserError("Allure to make a report", f"it ended with {done.returncode}: {told}")
        page.write_text(without_analytics(page.read_text()))
        shutil.rmtree(run / REPORT, ignore_errors=True)
        made.rename(run / REPORT)
    return run / REPORT / "index.html"


def configuration(results: Path) -> dict[str, Any]:
    """Allure's configuration: one file, grouped as the cases are, and our categories, which it reads from here only."""
    executor = results / "executor.json"
    told = json.loads(executor.read_text()) if executor.is_file() else {}
    name = told.get("reportName", "llmisvc-conformance")
    options = {"reportName": name, "singleFile": True, "reportLanguage": "en", "groupBy": _GROUPS}
    categories = [each | {"groupByMessage": True, "expand": True} for each in CATEGORIES]
    return {"name": name, "plugins": {"awesome": {"options": options}}, "categories": categories}


def without_analytics(page: str) -> str:
    """The page without what tells an analytics service that it is read."""
    return _ANALYTICS.sub("", page)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
