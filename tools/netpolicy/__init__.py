"""NetworkPolicies: what they mean (`oracle`), those that ship (`generate`), what is wrong with those found (`audit`).

All of it is pure and works on raw objects. It is written from the text of the networking.k8s.io/v1 API and shares no
code with the agent that enforces policies on the local cluster (tools/cluster/local), whose judge the oracle is.
"""
