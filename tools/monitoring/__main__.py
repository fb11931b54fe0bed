"""Prints the dashboard: `python -m tools.monitoring > manifests/monitoring/dashboard.json`."""

from tools.monitoring.dashboard import dashboard
from tools.monitoring.shipped import panels

print(dashboard(panels()), end="")
