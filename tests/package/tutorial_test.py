#!/usr/bin/python3
"""docs/tutorial.md as a reader follows it, with shorter stages, and docs/file-formats.md against the files that come of it.

  tutorial_test.py UPLIFT      exit status 77 (skip) when h5py or numpy is missing
"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py
except ImportError:
    print("skipped: no h5py")
    sys.exit(77)

UPLIFT = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHORTER = {"time: 100 ps": "time: 10 ps", "time: 500 ps": "time: 50 ps", "time: 15 ns": "time: 400 ps"}
WATER = """version: 1
system: {topology: SHARE/alanine-dipeptide-tip3p/system.prmtop.gz, coordinates: SHARE/alanine-dipeptide-tip3p/system.inpcrd.gz}
dynamics: {timestep: 2 fs, pressure: {}}
stages: [{name: production, time: 0.1 ps, restraints: {positions: protein-heavy}}]
output: {trajectory: {every: 0.05 ps, velocities: true, forces: true}, energies: {every: 0.05 ps}, report: false}
"""


def page(name):
    with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as f:
        return f.read()


def marked_blocks(text):
    """What kind of block it is, the name of a file, and the block."""
    blocks = re.findall(r"<!-- (run|python|file: (\S+)) -->\n```\w+\n(.*?)```", text, re.S)
    assert len(blocks) == text.count("<!-- "), "a mark without its block"
    return blocks


def follow_tutorial(folder):
    os.symlink(UPLIFT, os.path.join(folder, "bin", "uplift"))
    place = os.path.join(folder, "work")
    environment = {**os.environ, "SHARE": SOURCE, "PATH": os.path.join(folder, "bin") + ":" + os.environ["PATH"]}
    for kind, name, body in marked_blocks(page("tutorial.md")):
        if name:
            for long, short in SHORTER.items():
                assert body.count(long) == 1, long
                body = body.replace(long, short)
            with open(os.path.join(place, name), "w") as f:
                f.write(body)
            continue
        if kind == "python" and subprocess.run([sys.executable, "-c", "import MDAnalysis"], capture_output=True).returncode != 0:
            print("left out: no MDAnalysis")
            continue
        words = ["bash", "-euc", body] if kind == "run" else [sys.executable, "-c", body]
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, f"{body}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        print("ok     ", body.strip().splitlines()[0], flush=True)
    for made in ("aladip/ramachandran.csv", "aladip/ramachandran.h5", "aladip/run.log", "phi.csv", "phi.h5", "aladip.xtc", "every-tenth.dcd"):
        assert os.path.getsize(os.path.join(place, made)) > 0, made
    # Both runs are in the surface of both.
    with h5py.File(os.path.join(place, "phi.h5")) as both, h5py.File(os.path.join(place, "aladip", "ramachandran.h5")) as one:
        assert both.attrs["frames"] == 2 * one.attrs["frames"] == 1600, dict(both.attrs)
    return place


def described(section):
    """Datasets of a table of file-formats.md, with their unit and whether they are only there sometimes."""
    body = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", page("file-formats.md"), re.S | re.M)[1]
    rows = re.findall(r"^\| `/(\S+)` \|[^|]*\|([^|]*)\|[^|]*\|$", body, re.M)
    assert len(rows) == len({path for path, _ in rows}) == body.count("\n| `/"), section
    return dict(rows)


def datasets(path):
    found = {}

    def look(name, item):
        for key, one in item.items():
            here = f"{name}/{key}" if name else key
            if isinstance(one, h5py.Group):
                look(here, one)
            else:
                found[here] = one.attrs.get("unit", "")

    with h5py.File(path) as f:
        look("", f)
    return {name: unit for name, unit in found.items() if not name.startswith("parameters/vmd_structure/")}


def compare(section, *files):
    """Everything that is in the files is described, with its unit, and everything that is described is in one of them."""
    told, there = described(section), {}
    for path in files:
        there.update(datasets(path))
    assert told.keys() == there.keys(), (section, sorted(told.keys() ^ there.keys()))
    for name, unit in there.items():
        assert told[name].strip() == unit, (name, told[name], unit)
    print("ok     ", section, len(there), flush=True)


def water(place):
    path = os.path.join(place, "water.yaml")
    with open(path, "w") as f:
        f.write(WATER.replace("SHARE", os.path.join(SOURCE, "inputs")))
    subprocess.run([UPLIFT, "run", path, "--quiet"], cwd=place, check=True)


with tempfile.TemporaryDirectory() as scratch:
    for name in ("bin", "work"):
        os.mkdir(os.path.join(scratch, name))
    run = follow_tutorial(scratch)
    water(run)
    for table in ("trajectory.h5md", "energies.h5"):
        compare(table, os.path.join(run, "aladip", table), os.path.join(run, "water", table))
    compare("Surfaces", os.path.join(run, "phi.h5"))
    listed = set(re.findall(r"`([\w.]+)`", page("file-formats.md").split("\n## ")[0]))
    missing = [name for name in os.listdir(os.path.join(run, "aladip")) if name not in listed and not name.startswith("ramachandran.")]
    assert not missing, missing
