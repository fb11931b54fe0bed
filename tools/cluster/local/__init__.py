"""The local cluster: real Kubernetes, Istio and KServe on one Linux machine, in namespaces of its own."""
