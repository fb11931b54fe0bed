"""The one exception for what a user can put right; everything else is a bug of ours."""


class UserError(Exception):
    """A refusal or failure told in the user's terms, never as a stack trace.

    Args:
        expected: what the tool needed, in one sentence.
        observed: what it found, with the place it looked at.
        cause: the probable cause, if one is known.
        next_step: the next command to type or thing to do.
    """

    def __init__(self, expected: str, observed: str, *, cause: str = "", next_step: str = "") -> None:
        self.expected = expected
        self.observed = observed
        self.cause = cause
        self.next_step = next_step
        super().__init__(str(self))

    def __str__(self) -> str:
        rows = [("expected", self.expected), ("observed", self.observed)]
        rows += [("probable cause", self.cause)] if self.cause else []
        rows += [("next", self.next_step)] if self.next_step else []
        return "\n".join(f"  {label + ':':<16}{text}" for label, text in rows)
