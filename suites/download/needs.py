"""What cases of downloads need of a profile."""

from tools.cases.requirement import Facts, Finding, Requirement


def _has_token(facts: Facts) -> Finding:
    secret = facts.profile.secrets.token
    have = f"Secret {secret.name}" if secret else f"profile {facts.profile.name} names none: its model is not gated"
    return Finding(secret is not None, "a profile that names a Secret with the hub's token", have)


HAS_TOKEN = Requirement("a token of the model hub", _has_token)
