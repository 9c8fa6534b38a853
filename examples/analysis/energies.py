#!/usr/bin/python3
"""Averages of energies.h5 with errors from blocks, and the columns over time as a picture.

  energies.py RUN [COLUMN ...] [--begin PS] [-o energies.png]        needs h5py, numpy, matplotlib
"""
import argparse
import os

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def block_error(values, blocks=10):
    """Standard error of the mean from that of blocks, which are long enough to be independent."""
    means = [b.mean() for b in np.array_split(values, blocks)]
    return np.std(means, ddof=1) / np.sqrt(blocks)


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("run")
p.add_argument("columns", nargs="*", default=["potential", "temperature", "conserved_quantity"])
p.add_argument("--begin", type=float, default=0, help="leave out rows before this time [ps]")
p.add_argument("-o", "--output", default="energies.png")
o = p.parse_args()

figure, panels = plt.subplots(len(o.columns), 1, figsize=(8, 2.2 * len(o.columns)), sharex=True, squeeze=False)
with h5py.File(os.path.join(o.run, "energies.h5"), "r") as f:
    time = f["time"][:]
    keep = time >= o.begin
    for panel, name in zip(panels[:, 0], o.columns):
        values, unit = f[name][:], f[name].attrs.get("unit", "")
        print(f"{name:<28}{values[keep].mean():14.5f} +- {block_error(values[keep]):.5f} {unit}, deviation {values[keep].std():.5f}")
        panel.plot(time, values, linewidth=0.5)
        panel.set_ylabel(f"{name}\n[{unit}]", fontsize=8)
panels[-1, 0].set_xlabel("time [ps]")
figure.tight_layout()
figure.savefig(o.output, dpi=150)
