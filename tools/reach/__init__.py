"""Who reaches what: connections tried from every kind of place to every kind of target, and judged cell by cell.

`promise` says what a profile promises, `word` what the policies that are there say, `table` what was seen of both.
"""
