#!/usr/bin/python3
"""How far two free-energy surfaces on the same bins are apart: rms over bins below a limit in the second one, at the best shift of the two.

  compare_pmf.py A.h5 B.h5 [--below 15] [--weights boltzmann] [-o difference.png]        needs h5py, numpy, matplotlib

A and B: surfaces of `uplift reweight`, or the truth of examples/alanine-dipeptide. Bins that only one of them has are counted, not compared.
"""
import argparse

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("a")
p.add_argument("b")
p.add_argument("--below", type=float, default=15, help="[kJ/mol] of B")
p.add_argument("-o", "--output")
o = p.parse_args()

surfaces, centers = [], []
for path in (o.a, o.b):
    with h5py.File(path, "r") as f:
        surfaces.append(f["pmf"][:].astype(float))
        centers.append([f[f"collective_variables/{k}/centers"][:] for k in range(surfaces[-1].ndim)])
a, b = surfaces
if a.shape != b.shape or not all(np.allclose(x, y, atol=1e-3) for x, y in zip(*centers)):
    raise SystemExit(f"the surfaces have other bins: {a.shape} and {b.shape}")
low = b < o.below
both = low & np.isfinite(a)
difference = a - b - (a - b)[both].mean()
print(f"{low.sum()} bins below {o.below:g} kJ/mol, {both.sum()} in both: rms difference {np.sqrt((difference[both] ** 2).mean()):.3f} kJ/mol, largest {np.abs(difference[both]).max():.3f}")
if o.output:
    if a.ndim == 1:
        plt.plot(centers[0][0], b - np.nanmin(b), label=o.b)
        plt.plot(centers[0][0], a - np.nanmin(b) - (a - b)[both].mean(), label=o.a)
        plt.legend()
    else:
        plt.pcolormesh(centers[0][0], centers[0][1], np.where(both, difference, np.nan).T, cmap="RdBu", vmin=-3, vmax=3)
        plt.colorbar(label="difference [kJ/mol]")
    plt.savefig(o.output, dpi=150)
