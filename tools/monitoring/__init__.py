"""What watches the service in operation: a Prometheus as the suite asks it, and the alerts and dashboard that ship."""
