"""What Istio's mesh makes of a pod: injection, mutual TLS, identity, authorization. Pure, but for what asks proxies."""
