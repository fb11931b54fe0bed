#!/usr/bin/env python3
"""Entry point of the storage initializer's image, called as upstream's: SOURCE DESTINATION, any number of pairs."""

import sys
from pathlib import Path

from kserve_storage import Storage
from kserve_storage.logging import configure_logging, logger

configure_logging()
arguments = sys.argv[1:]
sources, destinations = arguments[::2], arguments[1::2]
if not sources or len(sources) != len(destinations):
    sys.exit("usage: initializer-entrypoint SOURCE DESTINATION [SOURCE DESTINATION]...")
logger.info("Initializing, args: (src_uri, dest_path): %s", list(zip(sources, destinations, strict=True)))
for destination in destinations:
    Path(destination).mkdir(parents=True, exist_ok=True)
try:
    Storage.download_files(sources, destinations)
except Exception as error:
    # As upstream's: what kserve_storage words itself, and what escapes it.
    how = "Storage initialization failed" if isinstance(error, RuntimeError) else "Unexpected error"
    logger.error("%s: %s", how, error)
    sys.exit(1)
