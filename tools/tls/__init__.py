"""TLS as clients see it, and certificates for Gateways that a run makes."""
