#!/usr/bin/python3
"""Averages of energies.h5 with errors from blocks, and the columns over time as a picture.

  energies.py RUN [COLUMN ...] [--stage NAME] [--begin PS] [-o energies.png]        needs h5py, numpy, matplotlib

Averages are of one stage, the last one if no other is named: equilibration is not what is asked for, nor are two potentials one.
"""
import argparse
import json
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
p.add_argument("--stage")
p.add_argument("--begin", type=float, default=0, help="leave out rows before this time [ps]")
p.add_argument("-o", "--output", default="energies.png")
o = p.parse_args()
if os.path.exists(os.path.join(o.run, "replicas.json")):
    raise SystemExit(f"{o.run}: holds several replicas, each a run of its own; name one, as in {os.path.join(o.run, 'replica-001')}")

with open(os.path.join(o.run, "stages.json")) as f:
    stages = json.load(f)["stages"]
chosen = [s for s in stages if o.stage in (None, s["name"])]
if not chosen:
    raise SystemExit(f"{o.run}: has no stage {o.stage}; it has {', '.join(s['name'] for s in stages)}")
stage = chosen[-1]
figure, panels = plt.subplots(len(o.columns), 1, figsize=(8, 2.2 * len(o.columns)), sharex=True, squeeze=False)
with h5py.File(os.path.join(o.run, "energies.h5"), "r") as f:
    step, time = f["step"][:], f["time"][:]
    keep = (time >= o.begin) & (step > stage["first_step"]) & (step <= stage["last_step"])
    if keep.sum() < 10:
        raise SystemExit(f"{o.run}: {keep.sum()} rows of stage {stage['name']} after {o.begin:g} ps, and errors from blocks need ten; choose another --stage or --begin")
    missing = [name for name in o.columns if name not in f]
    if missing:
        raise SystemExit(f"{f.filename}: has no column {', '.join(missing)}; `uplift info` shows those that it has")
    print(f"stage {stage['name']}: {keep.sum()} rows")
    for panel, name in zip(panels[:, 0], o.columns):
        values, unit = f[name][:], f[name].attrs.get("unit", "")
        print(f"{name:<28}{values[keep].mean():14.5f} +- {block_error(values[keep]):.5f} {unit}, deviation {values[keep].std():.5f}")
        panel.plot(time, values, linewidth=0.5)
        panel.axvspan(time[keep][0], time[keep][-1], color="tab:blue", alpha=0.08, linewidth=0)
        panel.set_ylabel(f"{name}\n[{unit}]", fontsize=8)
panels[-1, 0].set_xlabel("time [ps]")
figure.tight_layout()
figure.savefig(o.output, dpi=150)
