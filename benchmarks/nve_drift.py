#!/usr/bin/python3
"""Energy drift of uplift at constant energy: slope of the conserved energy over time, in kT/ns per degree of freedom.

  nve_drift.py UPLIFT [--system FOLDER] [--time 200] [--skip 10] [--timestep 2] [--hydrogen-mass 3.024] [--slow-every 2]
               [--tolerance 5e-5] [--switch-distance 0.8] [--precision mixed] [--threads 2] [--json FILE]

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: sdf1-tip3p of the project's inputs. Before the measurement the system is
equilibrated at 300 K by Langevin dynamics (--equilibrate, ps). --slow-every N takes the PME mesh every N inner steps: --timestep is then the outer step.
The error is the standard error of the slope, with the time over which residuals are correlated. What crosses the cutoff makes the energy fluctuate:
--tolerance and --switch-distance take most of that away, for a sharper look at the arithmetic. Needs python3-h5py, python3-numpy. The JSON is appended to.
"""
import argparse
import os
import subprocess
import tempfile

import h5py
import numpy as np

from system_files import append_record, existing, provenance

HERE = os.path.dirname(os.path.abspath(__file__))
BOLTZMANN = 0.00831446261815324  # kJ/mol/K, CODATA 2018


def write_input(o, path, out):
    levels = f"""
  multiple_time_step:
    - {{forces: [pme-reciprocal], every: {o.slow_every}}}
    - {{forces: [bonded, nonbonded], every: 1}}""" if o.slow_every > 1 else ""
    mass = f"\n  hydrogen_mass: {o.hydrogen_mass} amu" if o.hydrogen_mass else ""
    smooth = f"\n  switch_distance: {o.switch_distance} nm" if o.switch_distance else ""
    smooth += f"\n  pme: {{tolerance: {o.tolerance}}}" if o.tolerance else ""
    step = o.timestep / 1000
    fit = lambda ps, unit: max(1, round(ps / unit)) * unit
    every = fit(0.1, step)
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: "{existing(o.system, 'system.prmtop')}", coordinates: "{existing(o.system, 'system.inpcrd')}"}}
forces:
  nonbonded: pme
  cutoff: 0.9 nm{smooth}
  constraints: h-bonds
  rigid_water: true{mass}
dynamics:
  integrator: verlet
  timestep: {o.timestep} fs
  temperature: 300 K
  seed: 1{levels}
stages:
  - {{name: equilibrate, time: {fit(o.equilibrate, every):.12g} ps, integrator: langevin}}
  - {{name: drift, time: {fit(o.time, every):.12g} ps}}
output: {{directory: "{out}", trajectory: {{every: 0 ps}}, energies: {{every: {every:.12g} ps}}, report: false}}
compute: {{backend: cpu, precision: {o.precision}, threads: {o.threads}}}
""")
    return fit(o.equilibrate, every)


def slope(t, e):
    """Least-squares slope of evenly spaced numbers, and its standard error."""
    line = np.polyfit(t, e, 1)
    residual = e - np.polyval(line, t)
    n = len(t)
    power = np.abs(np.fft.rfft(residual, 2 * n)) ** 2
    correlation = np.fft.irfft(power)[:n] / (np.arange(n, 0, -1) * np.var(residual))
    positive = np.argmax(correlation < 0) or n
    inefficiency = max(1.0, 2 * float(np.sum(correlation[:positive])) - 1)  # 1 + 2 sum of k >= 1
    return line[0], float(np.std(residual) * np.sqrt(12 * inefficiency / n) / (t[-1] - t[0]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--system", default=os.path.join(HERE, "..", "inputs", "sdf1-tip3p"))
    p.add_argument("--time", type=float, default=200, help="ps")
    p.add_argument("--equilibrate", type=float, default=20, help="ps")
    p.add_argument("--skip", type=float, default=5, help="ps at the beginning that are not fitted")
    p.add_argument("--timestep", type=float, default=2, help="fs")
    p.add_argument("--hydrogen-mass", type=float)
    p.add_argument("--slow-every", type=int, default=1)
    p.add_argument("--tolerance", help="of PME")
    p.add_argument("--switch-distance", type=float, help="nm")
    p.add_argument("--precision", default="mixed")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--json")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "run")
        began = write_input(o, os.path.join(scratch, "nve.yaml"), out)
        subprocess.run([o.uplift, "run", os.path.join(scratch, "nve.yaml"), "--quiet"], check=True)
        with h5py.File(os.path.join(out, "energies.h5")) as f:
            t, e = f["time"][:], f["conserved_quantity"][:]
            kinetic = f["kinetic"][:]
            temperature = f["temperature"][:]
    keep = (t > began + o.skip) & np.isfinite(e)
    t, e, kinetic, temperature = t[keep], e[keep], kinetic[keep], temperature[keep]
    dof = round(float(np.median(2 * kinetic / (BOLTZMANN * temperature))))
    unit = BOLTZMANN * float(temperature.mean()) * dof * 1e-3  # kJ/mol/ps of 1 kT/ns/dof
    rate, error = slope(t, e)
    record = {"system": os.path.basename(os.path.normpath(o.system)), "timestep_fs": o.timestep, "hydrogen_mass": o.hydrogen_mass,
              "slow_every": o.slow_every, "precision": o.precision, "tolerance": o.tolerance, "switch_distance_nm": o.switch_distance, "fitted_ps": round(float(t[-1] - t[0]), 3), "degrees_of_freedom": dof,
              "temperature_K": round(float(temperature.mean()), 2), "drift_kT_per_ns_per_dof": float(f"{rate / unit:.3g}"),
              "standard_error": float(f"{error / unit:.2g}"), "rms_about_fit_kJ_per_mol": round(float(np.std(e - np.polyval(np.polyfit(t, e, 1), t))), 3),
              **provenance(o.uplift)}
    print(f"{record['system']}: {record['drift_kT_per_ns_per_dof']:.3g} +- {record['standard_error']:.2g} kT/ns/dof over {record['fitted_ps']} ps")
    if o.json:
        append_record(o.json, record)


if __name__ == "__main__":
    main()
