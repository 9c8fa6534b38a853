"""h5py and numpy, ending the test with 77 (skip) where they are missing, and what a file of a run holds."""
import sys

try:
    import h5py  # noqa: F401
    import numpy as np  # noqa: F401
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)


def datasets(path, label="", but="parameters/input"):
    """All datasets of a file but those whose paths begin with `but`, by their paths behind `label`."""
    found = {}
    with h5py.File(path) as f:
        f.visititems(lambda key, item: found.__setitem__(label + key, item[()]) if isinstance(item, h5py.Dataset) and not key.startswith(but) else None)
    return found
