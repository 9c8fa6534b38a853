#!/usr/bin/python3
"""How far a peptide is from a reference structure, and how large it is, over time.

  folding.py RUN [--reference FILE.pdb] [--select "name CA"] [-o folding.png]        needs MDAnalysis, numpy, matplotlib

Without a reference: the last frame, which shows whether the run has settled.
"""
import argparse
import os
import warnings

warnings.simplefilter("ignore")
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import MDAnalysis
import numpy as np
from MDAnalysis.analysis.rms import rmsd

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("run")
p.add_argument("--reference")
p.add_argument("--select", default="name CA")
p.add_argument("-o", "--output", default="folding.png")
o = p.parse_args()
if os.path.exists(os.path.join(o.run, "replicas.json")):
    raise SystemExit(f"{o.run}: holds several replicas, each a run of its own; name one, as in {os.path.join(o.run, 'replica-001')}")

u = MDAnalysis.Universe(os.path.join(o.run, "topology.pdb"), os.path.join(o.run, "trajectory.h5md"))
atoms = u.select_atoms(o.select)
if len(atoms) < 3:
    raise SystemExit(f"'{o.select}' selects {len(atoms)} atoms of the run, and a superposition needs three; choose more with --select, as in --select \"not name H*\"")
if o.reference:
    reference = MDAnalysis.Universe(o.reference).select_atoms(o.select).positions
else:
    u.trajectory[-1]
    reference = atoms.positions.copy()
if len(reference) != len(atoms):
    raise SystemExit(f"'{o.select}' selects {len(atoms)} atoms of the run and {len(reference)} of the reference")
rows = np.array([(frame.time, rmsd(atoms.positions, reference, superposition=True), atoms.radius_of_gyration()) for frame in u.trajectory])
figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
top.plot(rows[:, 0] / 1000, rows[:, 1] / 10, linewidth=0.6)
top.set_ylabel("rmsd [nm]")
bottom.plot(rows[:, 0] / 1000, rows[:, 2] / 10, linewidth=0.6)
bottom.set_ylabel("radius of gyration [nm]")
bottom.set_xlabel("time [ns]")
figure.tight_layout()
figure.savefig(o.output, dpi=150)
print(f"{len(rows)} frames: rmsd {rows[:, 1].min() / 10:.3f} to {rows[:, 1].max() / 10:.3f} nm, radius of gyration {rows[:, 2].min() / 10:.3f} to {rows[:, 2].max() / 10:.3f} nm")
