#!/usr/bin/python3
"""Kills runs at random moments and resumes them: what they leave in the end has the bits of a run that nobody disturbed.

  kill_test.py [--kills N] [--seed S] UPLIFT      exit status 77 (skip) when h5py or MDAnalysis is missing

Most kills are SIGKILL, some are a signal that asks to stop, or --max-time. After each, every file must open. The runs minimise, heat and go on with
another thermostat, with multiple time steps and with a barostat, so that kills come in all of these.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings

warnings.simplefilter("ignore")
try:
    import h5py
    import MDAnalysis
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

INPUTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "inputs"))


def write_input(folder):
    path = os.path.join(folder, "run.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-tip3p/system.prmtop.gz, coordinates: {INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.8 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, seed: 5}}
stages:
  - {{name: minimise, minimize: {{max_steps: 20}}}}
  - {{name: equilibrate, time: 0.6 ps, temperature_ramp: {{from: 50 K, to: 300 K}}, restraints: {{positions: protein-heavy, k: 1000 kJ/mol/nm^2}}}}
  - {{name: chain, time: 0.6 ps, integrator: nose-hoover}}
  - {{name: levels, time: 0.8 ps, timestep: 4 fs, hydrogen_mass: 3 amu, multiple_time_step: [{{forces: [pme-reciprocal], every: 2}}, {{forces: [bonded, nonbonded], every: 1}}]}}
  - {{name: volume, time: 0.4 ps, restraints: {{positions: not water, k: 100 kJ/mol/nm^2}}, pressure: {{barostat: monte-carlo, every: 10}}}}
  - {{name: rescale, time: 0.6 ps, integrator: v-rescale, pressure: {{barostat: c-rescale, every: 5, coupling: semi-isotropic}}}}
output: {{trajectory: {{every: 0.04 ps, velocities: true}}, energies: {{every: 0.02 ps}}, checkpoint: {{every: 0.1 s}}, report: false}}
""")
    return path


def contents(folder):
    """Every dataset of the run's files but what tells of the input itself."""
    found = {}
    for name in ("trajectory.h5md", "energies.h5"):
        with h5py.File(os.path.join(folder, name)) as f:
            f.visititems(lambda key, item: found.__setitem__(name + "/" + key, item[()]) if isinstance(item, h5py.Dataset) and key != "parameters/input" else None)
    return found


def check_files_open(folder):
    if not os.path.exists(os.path.join(folder, "trajectory.h5md")):
        return
    if frames(folder) == 0:
        return
    u = MDAnalysis.Universe(os.path.join(folder, "topology.pdb"), os.path.join(folder, "trajectory.h5md"))
    u.trajectory[len(u.trajectory) - 1]
    assert np.all(np.isfinite(u.atoms.positions))
    u.trajectory.close()  # HDF5 shares what it knows of a file that is open: what comes later would not be seen


def frames(folder):
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        return len(f["particles/trajectory/position/value"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--kills", type=int, default=12)
    p.add_argument("--seed", type=int, default=0)
    o = p.parse_args()
    seed = o.seed or time.time_ns() % (1 << 30)
    print("seed", seed, flush=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        path = write_input(scratch)
        command = [o.uplift, "run", path, "--quiet", "--threads", "1"]
        began = time.time()
        subprocess.run(command, check=True)
        whole = time.time() - began
        folder = path[: -len(".yaml")]
        wanted = contents(folder)
        assert len(wanted["trajectory.h5md/particles/trajectory/position/value"]) == 76, len(wanted["trajectory.h5md/particles/trajectory/position/value"])
        kills, rounds, statuses = 0, 0, {}
        while kills < o.kills:
            rounds += 1
            shutil.rmtree(folder)
            while True:
                limit = kills < o.kills and rng.random() < 0.1
                job = subprocess.Popen(command + ["--resume"] + (["--max-time", "0.3 s"] if limit else []), stderr=subprocess.PIPE, text=True)
                if kills < o.kills:
                    try:
                        job.wait(timeout=rng.uniform(0, 0.35 * whole))
                    except subprocess.TimeoutExpired:
                        how = rng.choice([signal.SIGKILL] * 4 + [signal.SIGTERM])
                        job.send_signal(how)
                        kills += 1
                error = job.communicate()[1]
                statuses[job.returncode] = statuses.get(job.returncode, 0) + 1
                assert job.returncode in (0, 3, -signal.SIGKILL, -signal.SIGTERM), (job.returncode, error)
                check_files_open(folder)
                if job.returncode == 0:
                    break
            found = contents(folder)
            assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
            for key in wanted:
                same = np.array_equal(found[key], wanted[key], equal_nan=found[key].dtype.kind == "f") if isinstance(found[key], np.ndarray) else found[key] == wanted[key]
                assert same, f"{key} differs after {kills} kills: {found[key]} but {wanted[key]}; {statuses}"
        print(f"{kills} kills in {rounds} runs, exit statuses {statuses}: same bits")


if __name__ == "__main__":
    main()
