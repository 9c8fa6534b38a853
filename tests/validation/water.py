#!/usr/bin/python3
"""Density and self-diffusion of TIP3P water at 300 K and 1 bar with 2 fs steps, with 4 fs, and with multiple time steps.

  water.py [--time PS] [--threads 2] [--json FILE] UPLIFT

Passes when the three agree within four standard errors and are within the literature's range for TIP3P with PME: 0.975 to 0.990 g/cm^3 and
5.0 to 6.5e-5 cm^2/s (Price and Brooks, J. Chem. Phys. 121, 10096 (2004); Vega and Abascal, Phys. Chem. Chem. Phys. 13, 19663 (2011)), the latter
corrected for the size of the box (Yeh and Hummer, J. Phys. Chem. B 108, 15873 (2004), with TIP3P's viscosity of 0.32 mPa s). Needs python3-h5py.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
WATERS, MASS = 887, 18.0154
CYCLES = 10
BOLTZMANN = 1.380649e-23
LIMIT = 4.0
SETTINGS = {
    "2 fs": "timestep: 2 fs",
    "4 fs": "timestep: 4 fs",
    "4 fs, PME every 2nd of 2 fs": "timestep: 4 fs, multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]",
}


def mean_and_error(values):
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def diffusion(x, spacing, edge):
    """Slope of the mean square displacement between 2 and 10 ps, and what it lacks in a box of this size [1e-5 cm^2/s]."""
    lags = np.arange(round(2 / spacing), round(10 / spacing) + 1)
    squares = np.array([((x[lag:] - x[:-lag]) ** 2).sum(axis=2).mean() for lag in lags])
    correction = BOLTZMANN * 300 * 2.837297 / (6 * np.pi * 0.32e-3 * edge * 1e-9) * 1e9  # m^2/s in 1e-5 cm^2/s
    return np.polyfit(lags * spacing, squares, 1)[0] / 6 * 1e3 + correction, correction


def measure(uplift, dynamics, picoseconds, threads):
    """Density and diffusion in turns: a volume that is kept is off by a hundredth, and molecules are faster where there is more room. So errors come
    from pieces that have a volume each; of one volume, molecules alone would tell of a fraction of it."""
    piece = picoseconds / CYCLES
    cycles = "".join(f"  - {{name: density-{k}, time: {piece:g} ps, pressure: {{barostat: c-rescale, relaxation_time: 1 ps}}}}\n"
                     f"  - {{name: diffusion-{k}, time: {piece:g} ps}}\n" for k in range(CYCLES))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "water.yaml")
        with open(path, "w") as f:
            f.write(f"""version: 1
system: {{topology: {ROOT}/inputs/water-tip3p/system.prmtop.gz, coordinates: {ROOT}/inputs/water-tip3p/system.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.9 nm, hydrogen_mass: 3.024 amu}}
dynamics: {{integrator: v-rescale, temperature: 300 K, friction: 1 /ps, seed: 3, {dynamics}}}
stages:
  - {{name: minimize, minimize: {{max_steps: 50}}}}
  - {{name: equilibrate, time: 40 ps, pressure: {{barostat: c-rescale, relaxation_time: 1 ps}}}}
{cycles}output: {{trajectory: {{every: 0.4 ps, atoms: name O}}, energies: {{every: 0.2 ps}}, report: false}}
""")
        subprocess.run([uplift, "run", path, "--quiet", "--threads", str(threads)], check=True)
        with h5py.File(path[:-5] + "/energies.h5") as f:
            t, volume, temperature = f["time"][:], f["volume"][:], f["temperature"][:]
        with h5py.File(path[:-5] + "/trajectory.h5md") as f:
            g = f["particles/trajectory"]
            x, at = g["position/value"][:].astype(float), g["position/time"][:]
    densities, diffusions = [], []
    for k in range(CYCLES):
        begin = 40 + 2 * k * piece
        densities.append(WATERS * MASS / 602.214076 / volume[(t > begin + 0.1) & (t < begin + piece + 0.1)].mean())
        kept = volume[(t > begin + piece + 0.1) & (t < begin + 2 * piece + 0.1)]
        diffusions.append(diffusion(x[(at > begin + piece + 0.1) & (at < begin + 2 * piece + 0.1)], 0.4, float(kept[0]) ** (1 / 3)))
    density, error = mean_and_error(densities)
    d, d_error = mean_and_error([one for one, _ in diffusions])
    correction = float(np.mean([one for _, one in diffusions]))
    return {"density_g_per_cm3": [round(density, 5), round(error, 5)], "diffusion_1e-5_cm2_per_s": [round(d, 3), round(d_error, 3)],
            "of_it_size_correction": round(correction, 3), "temperature_K": round(float(temperature[t > 40].mean()), 2)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--time", type=float, default=300, help="ps of each measurement, of which a tenth is a piece")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--json")
    o = p.parse_args()
    if o.time < 12 * CYCLES:
        p.error(f"--time: pieces of less than 12 ps have no displacements of 10 ps, so {12 * CYCLES} at least")
    results = {}
    for name, dynamics in SETTINGS.items():
        results[name] = measure(o.uplift, dynamics, o.time, o.threads)
        print(name, results[name], flush=True)
    good = True
    for key, low, high in (("density_g_per_cm3", 0.975, 0.990), ("diffusion_1e-5_cm2_per_s", 5.0, 6.5)):
        values = [r[key] for r in results.values()]
        good &= all(low <= v <= high for v, _ in values)
        good &= all(abs(a - b) <= LIMIT * (ea ** 2 + eb ** 2) ** 0.5 for a, ea in values for b, eb in values)
    print("ok" if good else "FAILED")
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"command": f"tests/validation/water.py --time {o.time:g} UPLIFT", "date": time.strftime("%Y-%m-%d"), "machine": platform.platform(),
                       "uplift": subprocess.run([o.uplift, "--version"], capture_output=True, text=True).stdout.strip(), "passed": bool(good), "results": results}, f, indent=1)
            f.write("\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
