"""Load with records: requests on an absolute schedule and long streams, each one record, cut into slices by marks.

`record` is what a request left behind, `answer` what its bytes say, `transport` sends one, `engine` sends many from a
thread of its own, `timeline` tells them between marks, `blame` tells who broke those that failed.
"""
