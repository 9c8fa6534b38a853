"""h5py and numpy; ends the test with 77 (skip) where they are missing."""
import sys

try:
    import h5py  # noqa: F401
    import numpy as np  # noqa: F401
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
