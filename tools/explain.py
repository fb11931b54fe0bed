"""The text of a broken promise: expected, observed, probable cause, next command.

Only a `Violation` (an AssertionError) says that the product failed; any other exception means that the instrument could
not tell. Reports keep the two apart.
"""


class Violation(AssertionError):
    """The product broke a promise.

    Args:
        expected: what was promised, in one sentence.
        observed: what was seen, with where it was seen.
        cause: the probable cause, if one is known.
        next_step: the next command to type.
        details: lines of evidence that belong to the text (a `curl`, conditions), shown after it.
    """

    def __init__(
        self, expected: str, observed: str, *, cause: str = "", next_step: str = "", details: str = ""
    ) -> None:
        self.expected = expected
        self.observed = observed
        self.cause = cause
        self.next_step = next_step
        self.details = details
        rows = [("expected", expected), ("observed", observed), ("probable cause", cause), ("next", next_step)]
        text = "\n".join(f"{label + ':':<16}{_indented(value)}" for label, value in rows if value)
        super().__init__(text + (f"\n\n{details}" if details else ""))


def check(ok: bool, expected: str, observed: str, *, cause: str = "", next_step: str = "", details: str = "") -> None:
    """Raise a Violation unless `ok`; the arguments are those of Violation."""
    __tracebackhide__ = True
    if not ok:
        raise Violation(expected, observed, cause=cause, next_step=next_step, details=details)


def bullets(lines: list[str]) -> str:
    """Several findings as one value of a row; one finding stays as it is."""
    return lines[0] if len(lines) == 1 else "".join(f"\n- {line}" for line in lines)


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 16)
