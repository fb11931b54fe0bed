"""`python -m tools.features`: the page docs/features.md."""

from tools.features.catalogue import page

if __name__ == "__main__":
    print(page(), end="")
