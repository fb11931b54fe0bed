"""Text that must not be printed by accident."""


class Secret(str):
    """A string that is used as any other and is shown, in a traceback or a list of values, as stars."""

    def __repr__(self) -> str:
        return "'***'"
