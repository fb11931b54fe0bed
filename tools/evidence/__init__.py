"""Evidence of a failure: what the cluster, the gateway, the picker and the servers showed when a case failed."""
