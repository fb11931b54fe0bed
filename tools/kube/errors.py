"""What can go wrong between the suite and the API server."""


class KubeError(Exception):
    """The API server refused a request, or could not be asked.

    Args:
        what: method and path.
        status: HTTP status; 0 when there was no answer.
        message: the server's own words.
    """

    def __init__(self, what: str, status: int, message: str) -> None:
        self.what = what
        self.status = status
        self.message = message
        super().__init__(f"{what}: {status or 'no answer'}: {message}")


class NotFound(KubeError):
    """The object is not there."""


class Gone(KubeError):
    """The resource version that a watch was to begin at is too old (410)."""
