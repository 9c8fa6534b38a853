#!/usr/bin/python3
"""The boost of a run over time and its distribution, against the Gaussian that cumulant reweighting supposes.

  boost.py RUN [--stage NAME] [-o boost.png]              needs h5py, numpy, matplotlib

The distribution is of one stage: the last one whose boost does not change while it runs, if no other is named.
"""
import argparse
import json
import os

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("run")
p.add_argument("--stage")
p.add_argument("-o", "--output", default="boost.png")
o = p.parse_args()
if os.path.exists(os.path.join(o.run, "replicas.json")):
    raise SystemExit(f"{o.run}: holds several replicas, each a run of its own; name one, as in {os.path.join(o.run, 'replica-001')}")

with open(os.path.join(o.run, "stages.json")) as f:
    stages = [s for s in json.load(f)["stages"] if s["bias"] and o.stage in (None, s["name"])]
if not stages:
    raise SystemExit(f"{o.run}: no stage{' ' + o.stage if o.stage else ''} of this run has a bias, so that there is no boost to show")
stage = ([s for s in stages if not s["bias"].get("updating")] or stages)[-1]
with h5py.File(os.path.join(o.run, "energies.h5"), "r") as f:
    if "bias" not in f:
        raise SystemExit(f"{f.filename}: has no boosts, and no stage of the run that wrote it had a bias")
    step, time, boost = f["step"][:], f["time"][:], f["bias/boost_dihedral"][:] + f["bias/boost_total"][:]
inside = (step > stage["first_step"]) & (step <= stage["last_step"])
if inside.sum() < 2 or boost[inside].std() == 0:
    raise SystemExit(f"{o.run}: stage {stage['name']} has {inside.sum()} rows of energies, and not two whose boosts differ; the bias never acted, or the stage has only begun")
mean, deviation, kt = boost[inside].mean(), boost[inside].std(), 0.00831446261815324 * stage["temperature"]
density, edges = np.histogram(boost[inside], bins=50, density=True)
width = edges[1] - edges[0]
entropy = -(density[density > 0] * np.log(density[density > 0]) * width).sum()
anharmonicity = 0.5 * np.log(2 * np.pi * np.e * deviation**2) - entropy

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), width_ratios=(2, 1))
left.plot(time / 1000, boost, linewidth=0.3)
left.set_xlabel("time [ns]")
left.set_ylabel("boost [kJ/mol]")
right.stairs(density, edges, fill=True, alpha=0.6)
x = np.linspace(edges[0], edges[-1], 300)
right.plot(x, np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)))
right.set_xlabel("boost [kJ/mol]")
figure.tight_layout()
figure.savefig(o.output, dpi=150)
print(f"stage {stage['name']}: boost {mean:.2f} kJ/mol, deviation {deviation:.2f} kJ/mol = {deviation / kt:.2f} kT, anharmonicity {anharmonicity:.3f}; written: {o.output}")
