"""Follow a kind of object for good: a list, then a watch, and again from a list when the watch ends."""

import time
from collections.abc import Callable

from tools.cluster.local.policy.objects import Changed, Listed
from tools.kube.client import Kube
from tools.kube.errors import KubeError
from tools.kube.kinds import Kind

# A connection that has silently gone is noticed after this long; what is enforced until then stays.
_WATCH_SECONDS = 600.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


def follow(kube: Kube, kind: Kind, tell: Callable[[Listed | Changed], None]) -> None:
    """Tell the objects of a kind, and each change, until the process ends.

    Whatever the API server refuses or fails to do, rules in force stay and it is asked again: an agent that gave up
    would let no new pod start, and one that is started while the cluster's roles are being made is refused at first.

    Args:
        kube: the cluster.
        kind: what is followed, in all namespaces.
        tell: takes what was told; a list after a watch is whole again, so what was missed does not matter.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            listing = kube.listing(kind)
            tell(Listed(kind, tuple(listing.items)))
            for event, item in kube.watch(kind, "", listing.resource_version, seconds=_WATCH_SECONDS):
                pause = _FIRST_PAUSE  # it works again
                if event != "BOOKMARK":
                    tell(Changed(kind, event, item))
        except KubeError as error:  # the version of the watch is forgotten (410), or there is no answer
            print(f"{kind.plural}: {error}; listed again in {pause:.1f} s", flush=True)
        time.sleep(pause)  # a server that is down, or that ends every watch at once, offers no event
        pause = min(pause * 2, _LONGEST_PAUSE)
