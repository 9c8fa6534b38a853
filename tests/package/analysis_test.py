#!/usr/bin/python3
"""The scripts of examples/analysis on a run as the engine leaves it, their numbers checked.

  analysis_test.py UPLIFT      exit status 77 (skip) when a library is missing
"""
import os
import re
import subprocess
import sys
import warnings

from checks import run_all

warnings.simplefilter("ignore")
try:
    import h5py
    import matplotlib  # noqa: F401
    import MDAnalysis  # noqa: F401
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
UPLIFT = os.path.abspath(sys.argv[-1])
KT = 0.00831446261815324 * 300


def script(name, *arguments, folder="analysis"):
    done = subprocess.run([sys.executable, "-W", "ignore", os.path.join(ROOT, "examples", folder, name), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dipeptide(scratch):
    """A short version of the example that quickstart.sh runs."""
    out = os.path.join(scratch, "run")
    subprocess.run([UPLIFT, "run", os.path.join(ROOT, "examples", "alanine-dipeptide", "implicit.yaml"), "--quiet", "--set", f"output.directory={out}", "--set", "stages.equilibrate.time=5 ps",
                    "--set", "stages.baseline.time=20 ps", "--set", "stages.accelerate.time=200 ps", "--set", "output.trajectory.every=0.1 ps"], check=True)
    return out


def scripts_tell_what_is_in_a_run(scratch):
    run = dipeptide(scratch)
    picture = lambda name: os.path.join(scratch, name)
    with h5py.File(os.path.join(run, "energies.h5"), "r+") as f:
        boost, temperature, baseline = f["bias/boost_dihedral"][:], f["temperature"][:], f["step"][:] <= 12500
        equilibrated = f["step"][:] > 2500
        assert boost[baseline].max() == 0 and boost[~baseline].min() > 0
        f["bias/boost_dihedral"][...] = np.where(baseline, 1000, boost)  # of another stage, as one that adapts has them
    said = script("boost.py", run, "-o", picture("boost.png"))
    mean, deviation = map(float, re.search(r"boost ([\d.]+) kJ/mol, deviation ([\d.]+)", said).groups())
    assert abs(mean - boost[~baseline].mean()) < 0.01 and abs(deviation - boost[~baseline].std()) < 0.01, said
    said = script("energies.py", run, "temperature", "potential", "-o", picture("energies.png"))
    assert "stage accelerate" in said and abs(float(re.search(r"temperature +([\d.]+)", said)[1]) - temperature[~baseline].mean()) < 1e-3, said
    said = script("energies.py", run, "temperature", "--stage", "baseline", "-o", picture("energies.png"))
    assert "stage baseline" in said and abs(float(re.search(r"temperature +([\d.]+)", said)[1]) - temperature[baseline & equilibrated].mean()) < 1e-3, said
    said = script("ramachandran.py", run, "-o", picture("phi.png"))
    with h5py.File(os.path.join(run, "trajectory.h5md")) as f:
        dv = f["observables/boost_dihedral/value"][:][f["particles/trajectory/position/time"][:] >= 25.05]
    w = np.exp((dv - dv.max()) / KT)
    assert f"{len(dv)} frames, effectively {w.sum() ** 2 / (w ** 2).sum():.0f};" in said, said
    said = script("folding.py", run, "--select", "name CA CB C N", "-o", picture("fold.png"))
    assert re.search(r"^\d+ frames: rmsd 0.000 to 0\.\d+ nm", said), said  # the last frame is its own reference
    for name in ("boost.png", "energies.png", "phi.png", "fold.png"):
        assert os.path.getsize(picture(name)) > 5000, name


def a_short_run_does_not_fold_chignolin(scratch):
    """The example's input as it is, but short; then with a hairpin's distances put into its frames."""
    run, picture = os.path.join(scratch, "run"), os.path.join(scratch, "fold.png")
    short = {"stages.minimize.minimize.max_steps": "100", "stages.equilibrate.time": "1 ps", "stages.baseline.time": "2 ps", "stages.fold.time": "2 ps", "output.trajectory.every": "0.2 ps", "free_energy": "[]"}
    sets = [word for key, value in short.items() for word in ("--set", f"{key}={value}")]
    subprocess.run([UPLIFT, "run", os.path.join(ROOT, "examples", "chignolin", "fold.yaml"), "--quiet", "--set", f"output.directory={run}", *sets], check=True)
    said = script("hydrogen_bonds.py", run, "-o", picture, folder="chignolin")
    assert "Asp3 N - Thr8 O below 0.35 nm in 0 %" in said and "first time" not in said, said
    assert os.path.getsize(picture) > 5000
    with h5py.File(os.path.join(run, "trajectory.h5md"), "r+") as f:
        x, time = f["particles/trajectory/position/value"], f["particles/trajectory/position/time"][:]
        frames = x[:]
        frames[10:, 97] = frames[10:, 30] + [0.3, 0, 0]
        x[...] = frames
    said = script("hydrogen_bonds.py", run, "-o", picture, folder="chignolin")
    assert f"for the first time at {time[10] / 1000:.1f} ns" in said and f"below 0.35 nm in {100 * (len(time) - 10) / len(time):.0f} %" in said, said


def refused(name, *arguments, says):
    done = subprocess.run([sys.executable, "-W", "ignore", os.path.join(ROOT, "examples", "analysis", name), *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr, done.stderr


def scripts_say_what_a_run_lacks(scratch):
    run = dipeptide(scratch)
    refused("folding.py", run, says="'name CA' selects 1 atoms of the run, and a superposition needs three")
    refused("energies.py", run, "presure", says="has no column presure")
    refused("energies.py", run, "--stage", "production", says="has no stage production; it has equilibrate, baseline, accelerate")
    refused("energies.py", run, "--begin", "1e6", says="0 rows of stage accelerate")
    refused("ramachandran.py", run, "--residue", "1", says="residue 1 has no phi")
    of_replicas = os.path.join(scratch, "several")
    os.mkdir(of_replicas)
    open(os.path.join(of_replicas, "replicas.json"), "w").close()
    for name in ("boost.py", "energies.py", "folding.py", "ramachandran.py"):
        refused(name, of_replicas, says="holds several replicas, each a run of its own; name one, as in " + os.path.join(of_replicas, "replica-001"))
    energies = os.path.join(run, "energies.h5")
    with h5py.File(energies, "r+") as f:
        boost = f["bias/boost_dihedral"]
        boost[...] = np.zeros(len(boost))
    refused("boost.py", run, says="not two whose boosts differ")
    with h5py.File(energies, "r+") as f:
        del f["bias"]
    refused("boost.py", run, says="has no boosts")
    refused("boost.py", run, "--stage", "baseline", says="no stage baseline of this run has a bias")
    # What counts crossings, and what it makes of none.
    try:
        import scipy  # noqa: F401
    except ImportError:
        return
    sys.path.insert(0, os.path.join(ROOT, "examples", "alanine-dipeptide"))
    import crossings
    assert abs(crossings.nanoseconds(run) - 0.2) < 1e-9
    assert crossings.least_ratio(0, 3) == 0 and crossings.least_ratio(106, 0) > 30


def surfaces_are_compared_at_their_best_shift(scratch):
    paths = []
    for k, shift in enumerate((0.0, 7.0)):
        paths.append(os.path.join(scratch, f"{k}.h5"))
        x = np.linspace(-3, 3, 50)
        pmf = 5 * (1 - np.cos(x)) + shift + (k * 0.4) * np.where(np.arange(50) % 2, 1, -1)
        with h5py.File(paths[-1], "w") as f:
            f["pmf"], f["collective_variables/0/centers"] = pmf, x
    said = script("compare_pmf.py", paths[1], paths[0], "-o", os.path.join(scratch, "d.png"))
    assert "50 in both: rms difference 0.400 kJ/mol, largest 0.400" in said, said


if __name__ == "__main__":
    run_all(scripts_tell_what_is_in_a_run, a_short_run_does_not_fold_chignolin, scripts_say_what_a_run_lacks, surfaces_are_compared_at_their_best_shift)
