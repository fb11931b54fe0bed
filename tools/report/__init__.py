"""Reports of a run: one record, and every report made from it by a pure function."""
