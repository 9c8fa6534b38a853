"""Files of the systems that benchmarks run, and the revision that they run."""
import gzip
import os
import shutil
import subprocess
import sys


def unzipped(folder, name, scratch):
    """A copy of FOLDER/NAME or FOLDER/NAME.gz, for engines that read no gzip."""
    path, out = existing(folder, name), os.path.join(scratch, name)
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f, open(out, "wb") as g:
        shutil.copyfileobj(f, g)
    return out


def existing(folder, name):
    """The whole path of FOLDER/NAME or FOLDER/NAME.gz."""
    for suffix in ("", ".gz"):
        if os.path.exists(os.path.join(folder, name + suffix)):
            return os.path.join(os.path.abspath(folder), name + suffix)
    sys.exit(f"{folder}: no {name} or {name}.gz")


def revision():
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True)
        return done.stdout.strip() or "unknown"
    except FileNotFoundError:  # no git here
        return "unknown"
