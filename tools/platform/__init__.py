"""What an installation has to be before any service is deployed: each module looks at one side of it.

The cases of suites/install and the preflight before a run ask the same functions.
"""
