#!/usr/bin/python3
"""Free energies of phi from accelerated runs against the umbrella truth: rms differences below 15 kJ/mol, and a picture.

  compare.py truth-vacuum.h5 NAME=phi.h5 [NAME=phi.h5 ...] [-o vacuum-phi.png]

Surfaces of one variable on the truth's bins, as `uplift reweight --cv "phi=phi(2)" --bins 60` writes them. Needs h5py, numpy, matplotlib.
"""
import argparse

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("truth")
p.add_argument("surfaces", nargs="+")
p.add_argument("-o", "--output", default="vacuum-phi.png")
o = p.parse_args()
with h5py.File(o.truth, "r") as f:
    phi, truth, about = f["collective_variables/0/centers"][:], f["phi/pmf"][:].astype(float), f.attrs["method"]
low = truth < 15
plt.figure(figsize=(7, 4))
plt.plot(phi, truth, color="black", linewidth=2, label=about)
for one in o.surfaces:
    name, path = one.split("=", 1)
    with h5py.File(path, "r") as f:
        pmf, error = f["pmf"][:], f["error"][:]
    both = low & np.isfinite(pmf)
    shift = (pmf - truth)[both].mean()
    rms = np.sqrt((((pmf - truth)[both] - shift) ** 2).mean())
    print(f"{name}: rms {rms:.2f} kJ/mol over {both.sum()} of {low.sum()} bins below 15 kJ/mol")
    plt.errorbar(phi, pmf - shift, yerr=error, fmt="o", markersize=3, linewidth=0.8, label=f"{name}, rms {rms:.2f} kJ/mol")
plt.ylim(-1, 40)
plt.xlim(-180, 180)
plt.xticks(range(-180, 181, 60))
plt.xlabel("phi [degrees]")
plt.ylabel("free energy [kJ/mol]")
plt.legend(frameon=False, fontsize=8)
plt.tight_layout()
plt.savefig(o.output, dpi=110)
