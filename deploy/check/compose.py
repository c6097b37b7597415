"""Reads a compose file by the Compose Specification: compose.py FILE. Keys that it does not know are errors."""

import pathlib
import sys

from compose_spec import PyCompose

try:
    PyCompose.from_yaml(pathlib.Path(sys.argv[1]).read_text()).validate()
except ValueError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
