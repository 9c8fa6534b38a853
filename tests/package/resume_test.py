#!/usr/bin/python3
"""What a run goes on from: full disks, damaged checkpoints, inputs and files that have changed since.

  resume_test.py UPLIFT      exit status 77 (skip) when h5py is missing
"""
import os
import subprocess
import sys

from checks import run_all

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

INPUTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "inputs"))
UPLIFT = os.path.abspath(sys.argv[-1])
STAGES = """  - {name: warm, time: 1 ps, collect: energies}
  - {name: boost, time: 1 ps, bias: {method: amd, boost: dihedral, parameters: {from: warm}}}
  - {name: go, time: 1 ps}
"""


def write_input(folder, stages=STAGES):
    path = os.path.join(folder, "run.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {INPUTS}/alanine-dipeptide-vacuum/system.inpcrd}}
forces: {{nonbonded: no-cutoff}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, seed: 5}}
stages:
{stages}output: {{trajectory: {{every: 20 fs, velocities: true}}, energies: {{every: 20 fs}}, checkpoint: {{every: 0.02 s}}, report: false}}
compute: {{threads: 1}}
""")
    return path


def run(path, out, *options):
    return subprocess.run([UPLIFT, "run", path, "--set", "output.directory=" + out, *options], capture_output=True, text=True, timeout=120)


def contents(folder):
    found = {}
    for name in ("trajectory.h5md", "energies.h5"):
        with h5py.File(os.path.join(folder, name)) as f:
            f.visititems(lambda key, item: found.__setitem__(name + "/" + key, item[()]) if isinstance(item, h5py.Dataset) and key != "parameters/input" else None)
    for name in ("amd.log", "stages.json"):
        with open(os.path.join(folder, name)) as f:
            found[name] = f.read()
    return found


def differing(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    return [k for k in a if not (np.array_equal(a[k], b[k]) if isinstance(a[k], np.ndarray) else a[k] == b[k])]


def a_full_disk_costs_nothing(scratch):
    """However small the disk, the run ends with an error that says so, and what it left goes on when there is room."""
    path = write_input(scratch)
    done = run(path, os.path.join(scratch, "wanted"))
    assert done.returncode == 0, done.stderr
    wanted = contents(os.path.join(scratch, "wanted"))
    disk = os.path.join(scratch, "disk")
    os.mkdir(disk)
    out = os.path.join(disk, "out")
    # From the first files to the last rows: everything that is written is the one that finds no room at one of these.
    for size in (8, 24, 40, 56, 72, 104, 152, 200, 240, 264, 300, 340):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            print("skipped: no small disk can be mounted here:", mounted.stderr.strip(), flush=True)
            return
        try:
            full = run(path, out)
            assert full.returncode == 1 and "No space left on device" in full.stderr, (size, full.returncode, full.stderr)
            subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
            again = run(path, out, "--resume")
            assert again.returncode == 0, (size, full.stderr, again.stderr)
            wrong = differing(wanted, contents(out))
            assert not wrong, (size, full.stderr, wrong)
        finally:
            subprocess.run(["umount", disk], check=True)


def damage(path):
    with open(path, "r+b") as f:
        f.seek(200)
        f.write(b"damage")


def a_damaged_checkpoint_is_spoken_of(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 40 ps}\n"), os.path.join(scratch, "out")
    newest, previous = os.path.join(out, "checkpoint.upc"), os.path.join(out, "checkpoint.prev.upc")
    assert run(path, out, "--quiet", "--set", "stages.go.time=1 ps").returncode == 0
    damage(newest)
    done = run(path, out, "--resume", "--max-time", "0.2s")
    assert done.returncode in (0, 3) and "checksum does not fit" in done.stdout and "The one before it is used" in done.stdout, (done.returncode, done.stdout, done.stderr)
    damage(newest)
    damage(previous)
    done = run(path, out, "--resume")
    assert done.returncode == 2 and "Neither of the two can be used" in done.stderr, (done.returncode, done.stderr)


def finished_stages_stay_as_they_are(scratch):
    path, out = write_input(scratch), os.path.join(scratch, "out")
    assert run(path, out, "--quiet").returncode == 0
    unchanged = run(path, out, "--resume")
    assert unchanged.returncode == 0 and "warning" not in unchanged.stdout, unchanged.stdout
    changed = run(path, out, "--resume", "--set", "stages.warm.time=2 ps", "--set", "stages.boost.temperature=310 K")
    assert changed.returncode == 0, changed.stderr
    for words in ("stage warm is finished, and stays as it is, though the input has changed; its time was 1 ps and is 2 ps",
                  "stage boost is finished, and stays as it is, though the input has changed; it was run with dynamics.temperature: 300 K; now: dynamics.temperature: 310 K"):
        assert words in changed.stdout, (words, changed.stdout)
    shorter = run(path, out, "--resume", "--set", "stages.go.time=0.5 ps")
    assert shorter.returncode == 0 and "stage go has run 1 ps already, more than its time of 0.5 ps" in shorter.stdout, shorter.stdout


def files_that_do_not_belong_to_the_checkpoint_are_spoken_of(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 3 ps}\n"), os.path.join(scratch, "out")
    energies, aside = os.path.join(out, "energies.h5"), os.path.join(scratch, "energies.h5")
    assert run(path, out, "--quiet", "--set", "stages.go.time=1 ps").returncode == 0
    os.rename(energies, aside)
    done = run(path, out, "--resume", "--set", "stages.go.time=2 ps")
    assert done.returncode == 0 and "energies.h5 ended at step 500 when the checkpoint was made, and without what is later it now is empty" in done.stdout, done.stdout
    os.replace(aside, energies)
    done = run(path, out, "--resume")
    assert done.returncode == 0 and "energies.h5 ended at step 1000" in done.stdout and "ended at step 500" in done.stdout, done.stdout
    assert "trajectory.h5md ended" not in done.stdout, done.stdout


if __name__ == "__main__":
    run_all(a_full_disk_costs_nothing, a_damaged_checkpoint_is_spoken_of, finished_stages_stay_as_they_are, files_that_do_not_belong_to_the_checkpoint_are_spoken_of)
