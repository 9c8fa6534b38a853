"""Files of the systems that benchmarks run."""
import gzip
import os
import shutil


def unzipped(folder, name, scratch):
    """A copy of FOLDER/NAME or FOLDER/NAME.gz, for engines that read no gzip."""
    for suffix in ("", ".gz"):
        path = os.path.join(folder, name + suffix)
        if os.path.exists(path):
            out = os.path.join(scratch, name)
            with (gzip.open if suffix else open)(path, "rb") as f, open(out, "wb") as g:
                shutil.copyfileobj(f, g)
            return out
    raise SystemExit(f"{folder}: no {name} or {name}.gz")
