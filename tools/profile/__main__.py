"""`python -m tools.profile`: the page docs/profiles.md."""

from tools.profile.page import page

if __name__ == "__main__":
    print(page(), end="")
