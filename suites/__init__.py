"""Cases: one topic a file, one promise a function. The docstring is the promise."""
