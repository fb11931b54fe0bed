"""The word for what is wrong with a pod."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a trouble is about.

    Attributes:
        PLACEMENT: no node takes the pod.
        CREATION: the pod is not even made.
        IMAGE: its image is not there.
        CONFIGURATION: something that it refers to is missing, or its container cannot be set up.
        ENDING: its container ends, or ended and was started again.
        EVICTION: the node threw it out.
        UNREADY: it runs, and its probe does not say that it is ready.
        STARTING: nothing is wrong yet.
    """

    PLACEMENT = "placement"
    CREATION = "creation"
    IMAGE = "image"
    CONFIGURATION = "configuration"
    ENDING = "ending"
    EVICTION = "eviction"
    UNREADY = "unready"
    STARTING = "starting"


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a pod.

    Attributes:
        kind: what it is about.
        what: what was seen, in a line.
        cause: the probable cause.
        command: kubectl's words, in the pod's namespace, that tell or mend more.
        lasting: whether it stays as long as nobody changes something: waiting for it is of no use.
    """

    kind: Kind
    what: str
    cause: str
    command: tuple[str, ...]
    lasting: bool = False
