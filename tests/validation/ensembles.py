#!/usr/bin/python3
"""Physical validation of every thermostat and barostat on a box of water, in the sense of Merz and Shirts, PLoS ONE 13, e0202764 (2018):
distribution of the kinetic energy, equipartition, and the ratio of the ensembles at two temperatures or pressures.

  ensembles.py [--case NAME ...] [--time PS] [--jobs 2] [--json FILE] UPLIFT

Needs the package physical_validation (PyPI) and h5py: python3 -m venv V && V/bin/pip install physical_validation h5py, then run this with
V/bin/python. Exit status 77 (skip) without them. About 25 minutes on two cores. A case passes when every deviation is within four standard
errors of what it should be.
"""
import argparse
import concurrent.futures
import contextlib
import io
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
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import physical_validation as pv
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
WATERS = 217
BOLTZMANN = 0.00831446261815324  # kJ/mol/K, CODATA 2018
LIMIT = 4.0
BLOCKS = 25
MASSES = [15.9994, 1.008, 1.008]

# Two states a case, so far apart that their distributions overlap by about a half.
PRESSURE = "pressure: {{barostat: {kind}, pressure: {pressure} bar, coupling: {coupling}, every: 10{more}}}"
CASES = {
    "langevin": dict(integrator="langevin", dt=2, states=[(300, None), (312, None)]),
    "v-rescale": dict(integrator="v-rescale", dt=2, states=[(300, None), (312, None)]),
    "nose-hoover": dict(integrator="nose-hoover", dt=2, states=[(300, None), (312, None)]),
    "monte-carlo": dict(integrator="langevin", dt=2, kind="monte-carlo", coupling="isotropic", states=[(300, 1), (300, 501)]),
    "monte-carlo-temperature": dict(integrator="langevin", dt=2, kind="monte-carlo", coupling="isotropic", states=[(300, 1), (312, 1)]),
    "c-rescale": dict(integrator="langevin", dt=2, kind="c-rescale", coupling="isotropic", states=[(300, 1), (300, 501)]),
    "c-rescale-v-rescale": dict(integrator="v-rescale", dt=2, kind="c-rescale", coupling="isotropic", states=[(300, 1), (300, 501)]),
    "c-rescale-temperature": dict(integrator="langevin", dt=2, kind="c-rescale", coupling="isotropic", states=[(300, 1), (312, 1)]),
}


def simulate(uplift, folder, case, picoseconds, temperature, pressure):
    barostat = "" if pressure is None else ", " + PRESSURE.format(kind=case["kind"], pressure=pressure, coupling=case["coupling"], more=", relaxation_time: 1 ps" if case["kind"] == "c-rescale" else "")
    path = os.path.join(folder, f"{temperature}-{pressure}.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {ROOT}/inputs/water-tip3p-small/system.prmtop.gz, coordinates: {ROOT}/inputs/water-tip3p-small/system.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.8 nm}}
dynamics: {{integrator: {case['integrator']}, timestep: {case['dt']} fs, temperature: {temperature} K, friction: 2 /ps, seed: {temperature + (pressure or 0)}{barostat}}}
stages:
  - {{name: minimize, minimize: {{max_steps: 50}}}}
  - {{name: equilibrate, time: 20 ps, integrator: langevin, timestep: 2 fs}}
  - {{name: sample, time: {picoseconds} ps}}
output: {{trajectory: {{every: 1 ps, velocities: true}}, energies: {{every: 0.1 ps}}, report: false}}
""")
    subprocess.run([uplift, "run", path, "--quiet", "--threads", "1"], check=True)
    return path[: -len(".yaml")]


def read(folder, temperature, pressure):
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        keep = f["time"][:] > 20.05
        columns = {k: f[k][:][keep] for k in ("kinetic", "potential", "total", "volume", "conserved_quantity")}
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        g = f["particles/trajectory"]
        keep = g["position/time"][:] > 20.05
        x, v = g["position/value"][:][keep], g["velocity/value"][:][keep]
    units = pv.data.UnitData(kb=BOLTZMANN, energy_conversion=1, length_conversion=1, volume_conversion=1, temperature_conversion=1, pressure_conversion=1,
                             time_conversion=1, energy_str="kJ/mol", length_str="nm", volume_str="nm^3", temperature_str="K", pressure_str="bar", time_str="ps")
    system = pv.data.SystemData(natoms=3 * WATERS, nconstraints=3 * WATERS, ndof_reduction_tra=3, ndof_reduction_rot=0, mass=np.tile(MASSES, WATERS),
                                molecule_idx=np.arange(0, 3 * WATERS, 3), nconstraints_per_molecule=np.full(WATERS, 3))
    ensemble = pv.data.EnsembleData("NVT", natoms=3 * WATERS, volume=float(columns["volume"][0]), temperature=temperature) if pressure is None else \
        pv.data.EnsembleData("NPT", natoms=3 * WATERS, pressure=pressure, temperature=temperature)
    observables = pv.data.ObservableData(kinetic_energy=columns["kinetic"], potential_energy=columns["potential"], total_energy=columns["total"],
                                         volume=columns["volume"], constant_of_motion=columns["conserved_quantity"])
    return pv.data.SimulationData(units=units, ensemble=ensemble, system=system, observables=observables,
                                  trajectory=pv.data.TrajectoryData(position=x, velocity=v)), columns


def equipartition(data, temperature):
    """Deviations of the translational and rotational kinetic energy from their shares, in standard errors."""
    v = np.asarray(data.trajectory.velocity, dtype=float).reshape(-1, WATERS, 3, 3)
    mass = np.array(MASSES)
    momentum = np.einsum("a,fwad->fwd", mass, v)
    translation = 0.5 * (momentum ** 2).sum(axis=(1, 2)) / mass.sum()
    rotation = 0.5 * np.einsum("a,fwad->f", mass, v ** 2) - translation
    found = {}
    for name, energy, dof in (("translation", translation, 3 * WATERS - 3), ("rotation", rotation, 3 * WATERS)):
        expected = 0.5 * dof * BOLTZMANN * temperature
        # Frames are a ps apart and still remember each other by 8 %: the total energy forgets slowly. Means of blocks do not.
        blocks = np.array([block.mean() for block in np.array_split(energy, BLOCKS)])
        found[name] = (energy.mean() - expected) / (blocks.std(ddof=1) / BLOCKS ** 0.5)
    return found


def analyse(case, folders):
    """Every deviation in standard errors."""
    deviations, data, notes = {}, [], {"volume": {}, "density_g_per_cm3": {}}
    for folder, (temperature, pressure) in zip(folders, case["states"]):
        one, columns = read(folder, temperature, pressure)
        data.append(one)
        label = f"{temperature} K" + ("" if pressure is None else f", {pressure} bar")
        mean, width = pv.kinetic_energy.distribution(one, strict=False, verbosity=0, bootstrap_seed=1)
        deviations[f"kinetic mean, {label}"], deviations[f"kinetic width, {label}"] = float(mean), float(width)
        for name, deviation in equipartition(one, temperature).items():
            deviations[f"{name}, {label}"] = float(deviation)
        if pressure is not None:
            parts = [part.mean() for part in np.array_split(columns["volume"], 10)]
            notes["volume"][label] = [round(float(np.mean(parts)), 4), round(float(np.std(parts, ddof=1) / 10 ** 0.5), 4)]
            notes["density_g_per_cm3"][label] = round(WATERS * sum(MASSES) / 602.214076 / float(np.mean(parts)), 4)
    for k, value in enumerate(pv.ensemble.check(*data, verbosity=0, bootstrap_seed=1)):
        deviations[f"ensemble ratio {k + 1}"] = float(value)
    return deviations, notes


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    p.add_argument("--time", type=float, default=500, help="ps of each of the two runs")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--json")
    o = p.parse_args()
    failed, records = [], []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = {}
        for name in o.case:
            os.makedirs(os.path.join(scratch, name))
            runs[name] = [pool.submit(simulate, o.uplift, os.path.join(scratch, name), CASES[name], o.time, *state) for state in CASES[name]["states"]]
        for name in o.case:
            folders = [run.result() for run in runs[name]]
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                deviations, notes = analyse(CASES[name], folders)
            worst = max(deviations, key=lambda k: abs(deviations[k]))
            passed = abs(deviations[worst]) < LIMIT
            if not passed:
                failed.append(name)
            print(f"{'ok    ' if passed else 'FAILED'} {name:<24} worst: {worst} {deviations[worst]:+.2f} standard errors", flush=True)
            for key, value in deviations.items():
                print(f"         {key:<32} {value:+.2f}", flush=True)
            for label, (volume, error) in notes["volume"].items():
                print(f"         volume, {label:<24} {volume} +- {error} nm^3, {notes['density_g_per_cm3'][label]} g/cm^3", flush=True)
            records.append({"case": name, "passed": bool(passed), "deviations_in_standard_errors": {k: round(v, 2) for k, v in deviations.items()}, **notes})
    # Two barostats at one state: one volume. Monte Carlo goes by energies, cell rescaling by the pressure, so that an error of either shows.
    state = "300 K, 1 bar"
    volumes = {r["case"]: r["volume"][state] for r in records if state in r["volume"]}
    for a in volumes:
        for b in volumes:
            (va, ea), (vb, eb) = volumes[a], volumes[b]
            if a < b and abs(va - vb) > LIMIT * (ea ** 2 + eb ** 2) ** 0.5:
                print(f"FAILED volumes of {a} and {b} differ: {va:.4f} +- {ea:.4f} and {vb:.4f} +- {eb:.4f} nm^3")
                failed.append(f"{a} and {b}")
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"command": f"tests/validation/ensembles.py --time {o.time:g} UPLIFT", "date": time.strftime("%Y-%m-%d"), "machine": platform.platform(),
                       "uplift": subprocess.run([o.uplift, "--version"], capture_output=True, text=True).stdout.strip(),
                       "physical_validation": pv.__version__, "limit_standard_errors": LIMIT, "cases": records}, f, indent=1)
            f.write("\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
