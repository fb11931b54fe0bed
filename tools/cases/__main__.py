"""`python -m tools.cases`: the page docs/cases.md."""

from tools.cases.index import all_cases
from tools.cases.page import page

if __name__ == "__main__":
    print(page(all_cases()), end="")
