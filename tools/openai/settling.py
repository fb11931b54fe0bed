"""The old name of `tools.waiting.eventually`."""

from tools.waiting.eventually import IN_A_ROW, Settled
from tools.waiting.eventually import eventually as settle

__all__ = ["IN_A_ROW", "Settled", "settle"]
