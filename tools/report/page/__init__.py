"""The parts of `summary.html`, each a pure function of the run's record."""
