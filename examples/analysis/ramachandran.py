#!/usr/bin/python3
"""phi and psi of a residue from a run's trajectory, each frame weighted by exp(dV/kT) of its boost; as a picture.

  ramachandran.py RUN [--residue 2] [--stage NAME] [--begin PS] [-o ramachandran.png]

Of one stage: the last one, but for those whose boost changes while they run, as their frames have no one weight.
The quick way to look at a run; `uplift reweight` has errors, other estimators and a verdict. Needs h5py, numpy, matplotlib, MDAnalysis.
"""
import argparse
import json
import os
import warnings

warnings.simplefilter("ignore")
import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import MDAnalysis
import numpy as np
from MDAnalysis.analysis.dihedrals import Dihedral

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("run")
p.add_argument("--residue", type=int, default=2)
p.add_argument("--stage")
p.add_argument("--begin", type=float, default=0, help="leave out frames before this time [ps]")
p.add_argument("-o", "--output", default="ramachandran.png")
o = p.parse_args()
if os.path.exists(os.path.join(o.run, "replicas.json")):
    raise SystemExit(f"{o.run}: holds several replicas, each a run of its own; name one, as in {os.path.join(o.run, 'replica-001')}")

path = os.path.join(o.run, "trajectory.h5md")
with open(os.path.join(o.run, "stages.json")) as f:
    stages = [s for s in json.load(f)["stages"] if not (s["bias"] and s["bias"].get("updating")) and o.stage in (None, s["name"])]
if not stages:
    raise SystemExit(f"{o.run}: no stage{' ' + o.stage if o.stage else ''} of this run has a potential that does not change while it runs")
stage = stages[-1]
u = MDAnalysis.Universe(os.path.join(o.run, "topology.pdb"), path)
pick = lambda residue, name: u.select_atoms(f"resid {residue} and name {name}")
before, here, after = o.residue - 1, o.residue, o.residue + 1
phi = pick(before, "C") + pick(here, "N") + pick(here, "CA") + pick(here, "C")
psi = pick(here, "N") + pick(here, "CA") + pick(here, "C") + pick(after, "N")
for name, atoms in (("phi", phi), ("psi", psi)):
    if len(atoms) != 4:
        raise SystemExit(f"{o.run}: residue {o.residue} has no {name}: {len(atoms)} atoms and not 4 are stored for it (at the end of a chain, of several chains that have this number, or left out of the trajectory)")
angles = Dihedral([phi, psi]).run().results.angles
with h5py.File(path, "r") as f:
    time, step = f["particles/trajectory/position/time"][:], f["particles/trajectory/position/step"][:]
    boost = sum(f[f"observables/boost_{k}/value"][:] for k in ("dihedral", "total")) if "observables" in f else np.zeros(len(time))
keep = (time >= o.begin) & (step > stage["first_step"]) & (step <= stage["last_step"])
if not keep.any():
    raise SystemExit(f"{o.run}: has no frames of stage {stage['name']}, or none after --begin")
kt = 0.00831446261815324 * stage["temperature"]
weight = np.exp((boost[keep] - boost[keep].max()) / kt)
p2, x, y = np.histogram2d(angles[keep, 0], angles[keep, 1], bins=60, range=[[-180, 180]] * 2, weights=weight)
with np.errstate(divide="ignore"):
    f2 = -kt * np.log(p2 / p2.max())
plt.pcolormesh(x, y, np.where(np.isfinite(f2), f2, np.nan).T, cmap="viridis")
plt.colorbar(label="free energy [kJ/mol]")
plt.xlabel("phi [degrees]")
plt.ylabel("psi [degrees]")
plt.gca().set_aspect("equal")
plt.savefig(o.output, dpi=150)
print(f"stage {stage['name']}: {keep.sum()} frames, effectively {weight.sum() ** 2 / (weight ** 2).sum():.0f}; written: {o.output}")
