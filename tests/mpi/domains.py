"""What the tests of one system on several ranks share: inputs, runs, and the comparison of what these leave."""
import gzip
import os
import re
import shutil
import subprocess
import sys

TESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(TESTS, "package"))

from hdf5 import datasets, h5py, np

INPUTS = os.path.join(TESTS, "..", "inputs")
PATIENCE = float(os.environ.get("UPLIFT_PATIENCE", "1"))  # sanitizers and busy machines want more of it
UPLIFT, MPIRUN = os.path.abspath(sys.argv[1]), sys.argv[2:]
ALANINE = "alanine-dipeptide-tip3p"
HEAD = """version: 1
system: {{topology: {i}/{s}/system.prmtop.gz, coordinates: {i}/{s}/system.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.8 nm}}
compute: {{backend: {b}, threads: 1, precision: {p}}}
output: {{trajectory: {{every: 20 fs, velocities: true, forces: true}}, energies: {{every: 20 fs}}, checkpoint: {{every: {c}}}, report: false}}
"""


def write_input(folder, name, body, system=ALANINE, precision="mixed", checkpoint="15 min", backend="cpu"):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(HEAD.format(i=INPUTS, s=system, p=precision, c=checkpoint, b=backend) + body)
    return path


def write_exception(folder, system=ALANINE):
    """A topology in which one pair of Lennard-Jones types does not follow from the rules: the solute's first atom and water's oxygen."""
    with gzip.open(f"{INPUTS}/{system}/system.prmtop.gz", "rt") as f:
        text = f.read()

    def section(flag):
        begin = re.search(rf"%FLAG {flag}\s*\n%FORMAT.*\n", text).end()
        return begin, text.index("%FLAG", begin)

    def numbers(flag):
        begin, end = section(flag)
        return [int(n) for n in text[begin:end].split()]

    types, kinds = numbers("ATOM_TYPE_INDEX"), numbers("POINTERS")[1]
    water = numbers("RESIDUE_POINTER")[-1] - 1
    wanted = numbers("NONBONDED_PARM_INDEX")[(types[0] - 1) * kinds + types[water] - 1] - 1
    begin, end = section("LENNARD_JONES_BCOEF")
    values = text[begin:end].split()
    values[wanted] = "%.8E" % (10 * float(values[wanted]))
    lines = ("".join("%16s" % v for v in values[k:k + 5]) for k in range(0, len(values), 5))
    path = os.path.join(folder, "exception.prmtop")
    with open(path, "w") as f:
        f.write(text[:begin] + "\n".join(lines) + "\n" + text[end:])
    return path


def with_exception(scratch, path):
    """The same input with a pair of types that has Lennard-Jones parameters of its own."""
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(f"{INPUTS}/{ALANINE}/system.prmtop.gz", write_exception(scratch)))
    return path


def write_water(folder, cell, angles, n):
    """A PDB file of n^3 four-site waters on a lattice of their own along the box vectors, turned at random."""
    rng = np.random.default_rng(1)
    alpha, beta, gamma = np.radians(angles)
    a, b = np.array([cell, 0, 0]), cell * np.array([np.cos(gamma), np.sin(gamma), 0])
    cx, cy = np.cos(beta), (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    vectors = np.array([a, b, cell * np.array([cx, cy, np.sqrt(1 - cx * cx - cy * cy)])])
    half = np.radians(104.52) / 2
    shape = np.array([[0, 0, 0], [np.sin(half), 0, np.cos(half)], [-np.sin(half), 0, np.cos(half)], [0, 0, 0.125 / 0.9572]]) * 0.9572
    path = os.path.join(folder, "water.pdb")
    with open(path, "w") as f:
        f.write("CRYST1%9.3f%9.3f%9.3f%7.2f%7.2f%7.2f P 1           1\n" % (cell, cell, cell, *angles))
        serial = 0
        for k in range(n**3):
            centre = (np.array([k % n, k // n % n, k // n // n]) + 0.5) / n @ vectors
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            for name, element, r in zip(("O", "H1", "H2", "M"), ("O", "H", "H", " "), shape @ turn.T + centre):
                serial += 1
                f.write("HETATM%5d  %-3s HOH A%4d    %8.3f%8.3f%8.3f  1.00  0.00          %2s\n" % (serial, name, k + 1, *r, element))
        f.write("END\n")
    return path


def command(ranks, *arguments):
    return (MPIRUN + ["-n", str(ranks)] if ranks > 1 else []) + [UPLIFT, *arguments]


def contents(folder, part=""):
    """Every dataset of a run but the input; of replica `part` ("replica-002/"), under that name."""
    found = {}
    for name in ("trajectory.h5md", "energies.h5"):
        found.update(datasets(os.path.join(folder, part, name), part + name + "/"))
    return found


def run(ranks, path, *more, status=0):
    out = os.path.join(os.path.dirname(path), f"out-{os.path.basename(path)[:-5]}-{ranks}")
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run(command(ranks, "run", path, "--quiet", "--set", "output.directory=" + out, *more), capture_output=True, text=True, timeout=300 * PATIENCE)
    assert done.returncode == status, (ranks, path, done.returncode, done.stderr)
    return out


def differing(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    return [k for k in a if not (np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f") if isinstance(a[k], np.ndarray) else a[k] == b[k])]


def frames(folder):
    path = os.path.join(folder, "checkpoint.upc")
    return os.stat(path).st_mtime_ns if os.path.exists(path) else 0


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(c) for c in f.read().split()]
    except FileNotFoundError:
        return []


def ranks_of(job):
    """Processes that are ranks: mpirun's children are their guards."""
    return [rank for guard in children(job.pid) for rank in children(guard)]
