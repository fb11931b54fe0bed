"""Cells that cannot be asked on somebody's cluster, and why: they are shown, and judge nothing. Pure."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from tools.reach.cells import OF_GATEWAY, OF_PICKER, OF_SERVER, OTHERS, Cell, What, Who
from tools.reach.promise import cells
from tools.reach.targets import Around

# Where `gateway`, `picker` and `server` connect from inside of pods.
_OWN = {Who.SERVER: OF_SERVER, Who.PICKER: OF_PICKER, Who.GATEWAY: OF_GATEWAY, Who.STRANGER: (What.STRANGER,)}
BALANCERS = (What.BALANCER, What.BALANCER_TLS)
_BEYOND = (What.INTERNET, What.METADATA, What.HUB, What.HUB_OTHER, What.API_OTHER)
_NO_NODE = "a node's network is entered on the local cluster only, and no kubelet's readiness probe asks this port"
_NO_ROUTE = "pods' addresses need not lead anywhere outside of a cluster"
_NO_DOOR = "no connection leaves the cluster without --allow-external ADDRESS:PORT"
_NO_HUB = "where the model comes from has no address of its own"
_NO_STRANGER = "no pod is made in the namespace of a service that is audited"


def may_lack(cell: Cell) -> bool:
    """Whether a cell is not asked anywhere: a pod's way to itself, which is always open, or what few clusters have."""
    return cell[1] in OTHERS or cell[1] in _OWN.get(cell[0], ())


def unasked(
    around: Around, asked: AbstractSet[Cell], rows: Mapping[Who, str], wanted: Callable[[Cell], bool]
) -> dict[Cell, str]:
    """Cells that are promised and wanted and cannot be asked on this cluster, with the reason.

    What is neither here nor asked should have been.

    Args:
        around: the service and what is around it.
        asked: cells that were.
        rows: who cannot connect on this cluster, and why.
        wanted: which cells are.
    """
    found = {}
    for cell in cells(around.shape):
        if cell not in asked and wanted(cell) and not may_lack(cell) and (why := _why(around, rows, cell)):
            found[cell] = why
    return found


def _why(around: Around, rows: Mapping[Who, str], cell: Cell) -> str:
    who, what = cell
    if who in rows:
        return rows[who]
    if who is Who.NODE:
        return _NO_NODE
    if who is Who.OUTSIDE and what not in BALANCERS:
        return _NO_ROUTE
    if what is What.STRANGER and around.stranger is None:
        return _NO_STRANGER
    door = around.outside.metadata if what is What.METADATA else around.outside.internet
    if what in _BEYOND and door is None:
        return _NO_DOOR
    return _NO_HUB if what is What.HUB else ""
