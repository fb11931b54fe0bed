"""NetworkPolicies: what they let through, by their text."""
