"""NetworkPolicies enforced on a node of the local cluster, because no policy engine can be had there.

`decision` says what is allowed, from recorded objects; `rendering` says it to the kernel; `agent` does both again
whenever an object changes; `plugin` holds a new pod's start until the rules for its address are in force.

The semantics are those of `networking.k8s.io/v1` (Kubernetes 1.36, API reference of NetworkPolicySpec). What that
leaves open, and what is done here:

- A connection that was there before a policy forbids it goes on: only its first packet is judged.
- Traffic between a pod and the node that it runs on is always allowed, and so is a pod's traffic to itself.
- A peer's selector means pods by the addresses that the API server has; an `ipBlock` means addresses, of pods too.
- ICMP is allowed where a rule has no ports.
"""
