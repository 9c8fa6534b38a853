#!/usr/bin/python3
"""uplift convert: round trips through every format, and other programs' files; what we write is read by MDAnalysis, mdtraj, netCDF4 and h5py.

  convert_test.py WRITE_SAMPLE UPLIFT      exit status 77 (skip) when h5py or MDAnalysis is missing
"""
import json
import os
import random
import re
import subprocess
import sys
import warnings

from checks import run_all

warnings.simplefilter("ignore")
try:
    import h5py
    import MDAnalysis
    import numpy as np
    from MDAnalysis.coordinates.DCD import DCDReader
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)
try:
    import mdtraj
except ImportError:
    mdtraj = None
try:
    import netCDF4
except ImportError:
    netCDF4 = None

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.normpath(os.path.join(HERE, "..", "..", "inputs"))
WRITE_SAMPLE, UPLIFT = (os.path.abspath(a) for a in sys.argv[-2:])
FRAMES, ATOMS = 7, 32
KINDS = ("orthorhombic", "triclinic", "open")
FLOAT = 2.0**-24  # relative error of one rounding to float32


def convert(*words, expect=0):
    done = subprocess.run([UPLIFT, "convert", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == expect, f"exit {done.returncode}: {words}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def sample(folder, kind, *flags):
    subprocess.run([WRITE_SAMPLE, folder, kind, str(FRAMES), *flags], check=True)
    return os.path.join(folder, "trajectory.h5md")


def contents(path):
    """Positions [nm], times [ps], steps, edges, velocities, forces of one of our H5MD files."""
    with h5py.File(path) as f:
        g = f["particles/trajectory"]
        values = [g[k + "/value"][:].astype(float) if k in g else None for k in ("position", "box/edges", "velocity", "force")]
        return values[0], g["position/time"][:], g["position/step"][:], values[1], values[2], values[3]


def cell(edges):
    """[A] and degrees."""
    a, b, c = 10 * np.asarray(edges)
    norm = np.linalg.norm
    angle = lambda u, v: np.degrees(np.arccos(np.dot(u, v) / norm(u) / norm(v)))
    return np.array([norm(a), norm(b), norm(c), angle(b, c), angle(a, c), angle(a, b)])


# How far positions [nm] may be off, relative to their size and absolutely; likewise edges. H5MD and NetCDF and DCD hold float32 (the first two
# roundings of a way there and back: nm, angstrom); XTC and PDB whole multiples, whose halves count.
PRECISION = {"h5md": (FLOAT, 0), "nc": (3 * FLOAT, 0), "dcd": (3 * FLOAT, 0), "xtc": (2 * FLOAT, 0.5e-3), "pdb": (2 * FLOAT, 0.5e-4)}


def round_trips_keep_what_the_format_holds(scratch):
    for kind in KINDS:
        source = sample(os.path.join(scratch, kind), kind, "velocities", "forces")
        x, t, steps, edges, v, f = contents(source)
        for ending, (relative, absolute) in PRECISION.items():
            there, back = (os.path.join(scratch, f"{kind}-{ending}.{e}") for e in (ending + "", "back.h5md"))
            convert(source, there)
            convert(there, back, *([] if ending in ("h5md", "pdb") else ["--topology", os.path.join(scratch, kind, "topology.pdb")]))
            x2, t2, steps2, edges2, v2, f2 = contents(back)
            assert np.all(np.abs(x2 - x) <= relative * np.abs(x) * 1.001 + absolute * 1.001 + 1e-12), (kind, ending, np.abs(x2 - x).max())
            if ending in ("h5md", "dcd", "pdb"):
                assert np.allclose(t2, t, rtol=1e-15, atol=0), (kind, ending, t2)
            else:
                assert np.array_equal(t2, t.astype(np.float32)), (kind, ending, t2)  # XTC and Amber hold times as float32
            assert np.array_equal(steps2, steps if ending != "nc" else np.arange(FRAMES)), (kind, ending)
            if kind == "open":
                assert edges2 is None
            elif ending in ("h5md", "nc", "dcd"):
                assert np.allclose(edges2, edges, rtol=1e-14, atol=1e-14), (kind, ending, np.abs(edges2 - edges).max())
            elif ending == "xtc":
                assert np.array_equal(edges2, edges.astype(np.float32))
            else:  # 1e-3 A and 0.01 degrees
                for a, b in zip(edges, edges2):
                    assert np.all(np.abs(cell(a) - cell(b)) <= [5.1e-4] * 3 + [5.1e-3] * 3), (cell(a), cell(b))
            if ending in ("h5md", "nc"):
                assert np.allclose(v2, v, rtol=4 * FLOAT, atol=0) and np.allclose(f2, f, rtol=4 * FLOAT, atol=0), (kind, ending)
            else:
                assert v2 is None and f2 is None


def independent_readers_see_the_same(scratch):
    for kind in KINDS:
        folder = os.path.join(scratch, kind)
        source = sample(folder, kind, "velocities", "forces")
        x, t, steps, edges, v, f = contents(source)
        for ending, (relative, absolute) in PRECISION.items():
            path = os.path.join(folder, "out." + ending)
            convert(source, path)
            names = os.path.join(folder, "topology.pdb")
            u = MDAnalysis.Universe(names, path)
            assert len(u.trajectory) == FRAMES, (kind, ending)
            for n, ts in enumerate(u.trajectory):
                tolerance = 10 * (relative + 2 * FLOAT) * np.abs(x[n]) + 10 * absolute * 1.001 + 1e-6
                assert np.all(np.abs(ts.positions - 10 * x[n]) <= tolerance), (kind, ending, n)
                if ending != "pdb":
                    assert abs(ts.time - t[n]) <= 1e-6 * max(1, t[n]), (kind, ending, n, ts.time, t[n])
                if edges is None:
                    assert ts.dimensions is None or not np.any(ts.dimensions[:3]), (kind, ending, ts.dimensions)
                else:
                    assert np.allclose(ts.dimensions, cell(edges[n]), atol=6e-3 if ending == "pdb" else 3e-5), (kind, ending, ts.dimensions)
                if ending in ("nc", "h5md"):
                    assert np.allclose(ts.velocities, 10 * v[n], rtol=1e-6, atol=1e-5), (kind, ending)
                    assert np.allclose(ts.forces, f[n] / 10, rtol=1e-6, atol=1e-4), (kind, ending)
            if mdtraj and ending in ("nc", "dcd", "xtc"):
                m = mdtraj.load(path, top=names)
                assert m.n_frames == FRAMES and np.all(np.abs(m.xyz - x) <= (relative + 2 * FLOAT) * np.abs(x) + absolute * 1.001 + 1e-7), (kind, ending)
                if edges is not None:
                    assert np.allclose(m.unitcell_vectors, edges, atol=2e-6), (kind, ending, m.unitcell_vectors[0] - edges[0])
                if ending != "dcd":  # mdtraj does not read times of a DCD
                    assert np.allclose(m.time, t, rtol=1e-6), (kind, ending, m.time)
        if netCDF4:
            with netCDF4.Dataset(os.path.join(folder, "out.nc")) as d:
                assert d.Conventions == "AMBER" and d.ConventionVersion == "1.0" and d.data_model == "NETCDF3_64BIT_OFFSET"
                assert d["coordinates"].units == "angstrom" and d["time"].units == "picosecond" and abs(d["velocities"].scale_factor - 20.455) < 1e-6
                assert kind == "open" or bytes(d["cell_angular"][:].tobytes()) == b"alphabeta gamma"


def random_walk(rng, atoms, step):
    return np.cumsum(rng.normal(scale=step, size=(atoms, 3)), axis=0)


def xtc_of_others_and_for_others(scratch):
    """The compression at every scale of differences: a walk with steps from 1e-3 to 1e5 times the precision, both ways."""
    if mdtraj is None:
        print("left out: no mdtraj")
        return
    rng = np.random.default_rng(1)
    sizes = []
    for k, step in enumerate(10.0 ** np.arange(-3, 3.6, 0.25)):
        for atoms in (1, 9, 10, 11, 500):
            x = random_walk(rng, atoms, step)
            if k % 3 == 0:
                x[1::3] += step * 50 * rng.normal(size=x[1::3].shape)  # jumps among small differences
            x = np.clip(x, -2e5, 2e5).astype(np.float32)[None]
            theirs, ours, raw = (os.path.join(scratch, n) for n in ("theirs.xtc", "ours.xtc", "raw.h5md"))
            with mdtraj.formats.XTCTrajectoryFile(theirs, "w") as file:
                file.write(x, time=np.array([2.5], np.float32), step=np.array([7], np.int32), box=np.eye(3, dtype=np.float32)[None] * 3)
            with mdtraj.formats.XTCTrajectoryFile(theirs) as file:
                read = file.read()[0].astype(float)
            convert(theirs, raw, "-f")
            mine, t, steps, edges, *_ = contents(raw)
            # mdtraj multiplies by 1/1000 in float32, we divide in double and round once.
            assert np.all(np.abs(mine - read) <= 3 * FLOAT * np.abs(read) + 1e-9), (step, atoms, np.abs(mine - read).max())
            assert t[0] == 2.5 and steps[0] == 7 and np.array_equal(edges[0], 3 * np.eye(3))
            convert(theirs, ours, "-f")
            with mdtraj.formats.XTCTrajectoryFile(ours) as file:
                again = file.read()[0]
            assert np.array_equal(again.astype(float), read), (step, atoms, np.abs(again - read).max())
            if atoms == 500:
                sizes.append((os.path.getsize(ours), os.path.getsize(theirs)))
    ours, theirs = map(sum, zip(*sizes))
    print(f"        XTC of random walks: {ours / theirs:.3f} of the size that mdtraj writes")
    assert ours < 1.1 * theirs


def real_water_compresses_as_elsewhere(scratch):
    if mdtraj is None:
        return
    ours, theirs = os.path.join(scratch, "ours.xtc"), os.path.join(scratch, "theirs.xtc")
    system = os.path.join(INPUTS, "sdf1-tip3p", "system")
    convert(system + ".inpcrd.gz", ours)
    with mdtraj.formats.XTCTrajectoryFile(ours) as file:
        xyz, time, step, box = file.read()
    with mdtraj.formats.XTCTrajectoryFile(theirs, "w") as file:
        file.write(xyz, time, step, box)
    with mdtraj.formats.XTCTrajectoryFile(theirs) as file:
        assert np.array_equal(file.read()[0], xyz)
    print(f"        XTC of a protein in water: {os.path.getsize(ours) / os.path.getsize(theirs):.3f} of the size that mdtraj writes")
    assert os.path.getsize(ours) < 1.1 * os.path.getsize(theirs), (os.path.getsize(ours), os.path.getsize(theirs))


def dcd_of_others(scratch):
    rng = np.random.default_rng(2)
    x = rng.normal(scale=20, size=(5, 40, 3)).astype(np.float32)
    path, back = os.path.join(scratch, "mda.dcd"), os.path.join(scratch, "back.h5md")
    u = MDAnalysis.Universe.empty(40, trajectory=True)
    with MDAnalysis.Writer(path, 40, dt=0.5, nsavc=250, istart=1000) as w:
        for frame in x:
            u.atoms.positions = frame
            u.dimensions = [30, 31, 32, 80, 85, 95]  # degrees, in MDAnalysis's files
            w.write(u.atoms)
    convert(path, back)
    mine, t, steps, edges, *_ = contents(back)
    assert np.allclose(10 * mine, x, rtol=3 * FLOAT, atol=0)
    assert np.array_equal(steps, 1000 + 250 * np.arange(5)) and np.allclose(t, steps * 0.002, rtol=1e-12), t
    assert np.allclose(cell(edges[0]), [30, 31, 32, 80, 85, 95], atol=1e-4), cell(edges[0])
    # CHARMM's symmetric shape matrix: the cell is turned to have a along x, and positions with it.
    with open(path, "rb") as f:
        raw = bytearray(f.read())
    basis = np.array([[30, 0, 0], [4, 31, 0], [3, 2, 32.0]])
    left, size, right = np.linalg.svd(basis.T)
    shape = right.T @ np.diag(size) @ right  # symmetric, its columns are the cell's vectors turned
    turn = shape @ np.linalg.inv(basis.T)
    assert np.allclose(turn @ turn.T, np.eye(3)) and np.allclose(shape, shape.T)
    record = np.array([shape[0, 0], shape[0, 1], shape[1, 1], shape[0, 2], shape[1, 2], shape[2, 2]])
    frame_bytes = 56 + 3 * (8 + 4 * 40)
    begin = len(raw) - 5 * frame_bytes
    for n in range(5):
        at = begin + n * frame_bytes
        raw[at + 4 : at + 52] = record.tobytes()
        turned = (x[n].astype(float) @ turn.T).astype(np.float32)
        for k in range(3):
            raw[at + 60 + k * 168 : at + 60 + k * 168 + 160] = turned[:, k].tobytes()
    with open(path, "wb") as f:
        f.write(raw)
    convert(path, back, "-f")
    mine, _, _, edges, *_ = contents(back)
    assert np.allclose(10 * edges[0], basis, atol=1e-6), edges[0]
    assert np.allclose(10 * mine, x, atol=1e-4), np.abs(10 * mine - x).max()
    # The other byte order.
    swapped = swap_dcd(raw, 40, 5)
    with open(path, "wb") as f:
        f.write(swapped)
    convert(path, back, "-f")
    assert np.allclose(10 * contents(back)[0], x, atol=1e-4)


def swap_dcd(raw, atoms, frames):
    """Every number of a DCD in the other byte order; text as it is."""
    def flip(at, width, count):
        part = np.frombuffer(bytes(out[at : at + width * count]), dtype=f"V{width}").copy()
        view = part.view(np.uint8).reshape(count, width)[:, ::-1]
        out[at : at + width * count] = view.tobytes()

    out = bytearray(raw)
    flip(0, 4, 1), flip(8, 4, 21)
    titles = int.from_bytes(raw[92:96], "little")
    flip(92, 4, 2), flip(96 + titles, 4, 4)
    at = 96 + titles + 4 + 12
    for _ in range(frames):
        flip(at, 4, 1), flip(at + 4, 8, 6), flip(at + 52, 4, 1)
        at += 56
        for _ in range(3):
            flip(at, 4, atoms + 2)
            at += 8 + 4 * atoms
    return out


def dcd_says_when_frames_were(scratch):
    source = sample(scratch, "orthorhombic")
    out = os.path.join(scratch, "o.dcd")
    convert(source, out, "--begin", "0.4 ps", "--stride", "2")
    reader = DCDReader(out)
    assert reader._file.header["istart"] == 200 and reader._file.header["nsavc"] == 200, reader._file.header
    assert abs(reader.dt - 0.4) < 1e-7
    back = os.path.join(scratch, "back.h5md")
    convert(out, back)
    assert np.array_equal(contents(back)[2], [200, 400, 600]) and np.allclose(contents(back)[1], [0.4, 0.8, 1.2], rtol=1e-15)
    # Frames that are not equally spaced cannot be said, and are not written with wrong times.
    uneven = os.path.join(scratch, "uneven.h5md")
    convert(source, uneven)
    with h5py.File(uneven, "r+") as f:
        f["particles/trajectory/position/time"][4] = 0.9
    said = convert(uneven, os.path.join(scratch, "u.dcd"), expect=2)
    assert "not equally spaced" in said and "--drop-times" in said and not os.path.exists(os.path.join(scratch, "u.dcd")), said
    assert not [n for n in os.listdir(scratch) if n.endswith(".part")]
    convert(uneven, os.path.join(scratch, "u.dcd"), "--drop-times")
    convert(uneven, os.path.join(scratch, "u.xtc"))
    reader = DCDReader(os.path.join(scratch, "u.dcd"))
    assert reader._file.header["delta"] == 0 and len(reader) == FRAMES
    assert info(uneven)[1]["time"].endswith("on average"), "a gap in the middle: " + str(info(uneven))
    assert "every 0.2 ps" in info(source)[1]["time"] and "average" not in info(source)[1]["time"]
    with h5py.File(uneven, "r+") as f:
        f["particles/trajectory/position/time"][1] = 0.1
    assert info(uneven)[1]["time"].endswith("on average"), info(uneven)


def of_models_the_first_is_taken_and_said(scratch):
    system = os.path.join(INPUTS, "alanine-dipeptide-vacuum", "system")
    models = os.path.join(scratch, "models.pdb")
    convert(system + ".inpcrd", system + ".inpcrd", models, "--consecutive", "--topology", system + ".prmtop")
    with open(os.path.join(scratch, "in.yaml"), "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {system}.prmtop, coordinates: {models}}}\nforces: {{nonbonded: no-cutoff}}\n")
    done = subprocess.run([UPLIFT, "energy", os.path.join(scratch, "in.yaml")], capture_output=True, text=True)
    assert done.returncode == 0 and "models.pdb: the first of 2 models is taken" in done.stderr, done.stderr


def pdb_without_a_title_says_when_frames_were(scratch):
    """GROMACS takes the time from ' t= ', which needs a word before it."""
    source, out = sample(scratch, "orthorhombic"), os.path.join(scratch, "o.pdb")
    with h5py.File(source, "r+") as f:
        f["parameters/title"][...] = ""
    convert(source, out)
    with open(out) as f:
        titles = [line for line in f if line.startswith("TITLE")]
    assert len(titles) == FRAMES and all(re.match(r"TITLE     \S+ t= [\d.]+ step= \d+$", line) for line in titles), titles
    assert info(out)[1]["time"].startswith("0 to 1.2 ps"), info(out)
    with open(out, "w") as f:  # as earlier versions wrote them
        f.write("TITLE     t= 0.5 step= 50\nATOM      1  CA  ALA     1       0.000   0.000   0.000  1.00  0.00           C\nEND\n")
    convert(out, os.path.join(scratch, "o.h5md"))
    with h5py.File(os.path.join(scratch, "o.h5md")) as f:
        assert f["parameters/title"][()] == b"" and f["particles/trajectory/position/time"][0] == 0.5


def netcdf_of_others(scratch):
    if netCDF4 is None:
        print("left out: no netCDF4")
        return
    rng = np.random.default_rng(3)
    x = rng.normal(scale=10, size=(4, 12, 3)).astype(np.float32)
    path, back = os.path.join(scratch, "their.nc"), os.path.join(scratch, "back.h5md")
    u = MDAnalysis.Universe.empty(12, trajectory=True, velocities=True, forces=True)
    with MDAnalysis.coordinates.TRJ.NCDFWriter(path, 12, velocities=True, forces=True) as w:
        for n, frame in enumerate(x):
            u.atoms.positions, u.atoms.velocities, u.atoms.forces = frame, 0.1 * frame, 3 * frame
            u.dimensions, u.trajectory.ts.time = [20, 20, 20, 109.4712190, 109.4712190, 109.4712190], 10.5 * n
            w.write(u.atoms)
    convert(path, back)
    mine, t, _, edges, v, f = contents(back)
    assert np.allclose(10 * mine, x, rtol=4 * FLOAT, atol=0) and np.allclose(t, 10.5 * np.arange(4))
    assert np.allclose(10 * v, 0.1 * x, rtol=8 * FLOAT, atol=1e-9) and np.allclose(f / 10, 3 * x, rtol=8 * FLOAT, atol=1e-6)
    assert np.allclose(cell(edges[0]), [20, 20, 20] + [109.4712190] * 3, atol=1e-5), cell(edges[0])  # as it was, not reduced
    with netCDF4.Dataset(path, "r+") as d:
        d["coordinates"].units = "nanometer"
    assert "nanometer" in convert(path, back, "-f", expect=2)


def h5md_of_others(scratch):
    """MDAnalysis's own writer, and a file by hand that uses what the standard allows: increments, a constant box, other units."""
    path, back = os.path.join(scratch, "their.h5md"), os.path.join(scratch, "back.h5md")
    rng = np.random.default_rng(4)
    x = rng.normal(scale=10, size=(4, 12, 3)).astype(np.float32)
    u = MDAnalysis.Universe.empty(12, trajectory=True, velocities=True, forces=True)
    with MDAnalysis.Writer(path, 12, velocities=True, forces=True, lengthunit="Angstrom", timeunit="fs", velocityunit="Angstrom/ps", forceunit="kJ/(mol*Angstrom)") as w:
        for n, frame in enumerate(x):
            u.atoms.positions, u.atoms.velocities, u.atoms.forces = frame, 0.1 * frame, 3 * frame
            u.dimensions, u.trajectory.ts.time, u.trajectory.ts.frame = [20, 21, 22, 90, 90, 90], 2.0 * n, n
            w.write(u.atoms)
    if w.h5md_file:
        w.h5md_file.close()  # MDAnalysis 2.4 does not
    convert(path, back)
    mine, t, _, edges, v, f = contents(back)
    assert np.allclose(10 * mine, x, rtol=3 * FLOAT, atol=0) and np.allclose(t, 2.0 * np.arange(4), rtol=1e-6), t
    assert np.allclose(10 * v, 0.1 * x, rtol=4 * FLOAT, atol=1e-9) and np.allclose(f / 10, 3 * x, rtol=4 * FLOAT, atol=1e-6)
    assert np.allclose(cell(edges[0]), [20, 21, 22, 90, 90, 90], atol=1e-5)

    with h5py.File(path, "w") as h:
        h.create_group("h5md").attrs["version"] = [1, 1]
        for name, shift in (("solute", 0.0), ("solvent", 5.0)):
            g = h.create_group("particles/" + name)
            g["position/value"] = x + shift
            g["position/step"] = 50
            g["position/step"].attrs["offset"] = 1000
            g["position/time"] = 0.1
            g["position/time"].attrs["offset"] = 2.0
            g["box/edges"] = [20.0, 21.0, 22.0]
    said = convert(path, back, "-f", expect=2)
    assert "solute, solvent" in said and "--group" in said, said
    assert "--length-unit" in convert(path, back, "-f", "--group", "solvent", expect=2)
    assert "--time-unit" in convert(path, back, "-f", "--group", "solvent", "--length-unit", "angstrom", expect=2)
    convert(path, back, "-f", "--group", "solvent", "--length-unit", "angstrom", "--time-unit", "ns")
    mine, t, steps, edges, v, f = contents(back)
    assert np.allclose(10 * mine, x + 5, rtol=3 * FLOAT, atol=1e-6) and v is None and f is None
    assert np.allclose(t, 2000 + 100 * np.arange(4)) and np.array_equal(steps, 1000 + 50 * np.arange(4))
    assert np.allclose(edges[3], np.diag([2.0, 2.1, 2.2]))


def frames_and_atoms_are_chosen(scratch):
    source = sample(scratch, "orthorhombic", "velocities")
    x, t, *_ = contents(source)
    out = os.path.join(scratch, "o.h5md")
    convert(source, out, "--begin", "0.2 ps", "--end", "1000 fs", "--stride", "2", "--atoms", "name CA or water and name O")
    mine, time, steps, edges, v, _ = contents(out)
    chosen = [2] + list(range(12, 32, 4))
    assert np.allclose(time, [0.2, 0.6, 1.0]) and np.array_equal(mine, x[[1, 3, 5]][:, chosen]) and v.shape == (3, 6, 3)
    with h5py.File(out) as f:
        assert list(f["parameters/topology/atom_index"][:]) == chosen
        assert [n.decode() for n in f["parameters/topology/atom_name"][:]] == ["CA"] + ["O"] * 5
    assert "selects no atom" in convert(source, out, "-f", "--atoms", "name XX", expect=2)
    assert "no frame is between" in convert(source, out, "-f", "--begin", "5 ps", expect=2)
    assert "is there already" in convert(source, out, expect=2)
    assert "is an input, too" in convert(source, source, "-f", expect=2)
    bare = os.path.join(scratch, "o.xtc")
    convert(source, bare)
    assert "is the folder of a run; name the file in it, " + source in convert(scratch, out, "-f", expect=2)
    assert "--topology" in convert(bare, out, "-f", "--atoms", "protein", expect=2)
    convert(bare, out, "-f", "--atoms", "protein", "--topology", os.path.join(scratch, "topology.pdb"))
    assert contents(out)[0].shape == (FRAMES, 11, 3)


def options_without_effect_are_refused(scratch):
    source = sample(scratch, "orthorhombic")
    prmtop, inpcrd = (os.path.join(INPUTS, "alanine-dipeptide-vacuum", "system." + e) for e in ("prmtop", "inpcrd"))
    for words, names in {
        (prmtop, "o.prmtop", "--atoms", "protein", "--stride", "2"): ["--stride (for trajectories), --atoms (for trajectories) have"],
        (prmtop, "o.psf", "--coordinates", inpcrd): ["--coordinates (for a topology that becomes .prmtop or .pdb) has"],
        (prmtop, "o.psf", "--parameters", "nosuch.prm"): ["--parameters (for a .psf) has"],
        (prmtop, "o.pdb", "--coordinates", inpcrd, "--precision", "1e-4 nm"): ["--precision (for .xtc outputs)"],
        (source, "o.dcd", "--precision", "1e-4 nm"): ["--precision (for .xtc outputs)"],
        (source, "o.h5md", "--precision", "1e-4 nm", "--drop-times"): ["--precision", "--drop-times (for .dcd outputs)"],
        (source, "o.xtc", "--forcefield", "amber14sb"): ["--forcefield"],
        (source, "o.xtc", "--coordinates", inpcrd): ["--coordinates"],
        (source, "o.xtc", "--topology", prmtop, "--parameters", "nosuch.prm"): ["--parameters"],
        (os.path.join(scratch, "topology.pdb"), "o.xtc", "--group", "all"): ["--group (for H5MD inputs)"],
        (os.path.join(scratch, "energies.h5"), "o.csv", "--precision", "1 nm", "--group", "a", "--unwrap"): ["--unwrap", "--precision", "--group"],
    }.items():
        said = convert(words[0], os.path.join(scratch, words[1]), *words[2:], expect=2)
        assert words[1] + ": --" in said and "no effect here" in said and all(name in said for name in names), (words, said)
        assert not os.path.exists(os.path.join(scratch, words[1])), words
    done = subprocess.run([UPLIFT, "info", prmtop, "--parameters", "nosuch.prm"], capture_output=True, text=True)
    assert done.returncode == 2 and "--parameters (for a .psf) has no effect" in done.stderr, done


def endings_may_be_in_capitals(scratch):
    source = sample(scratch, "orthorhombic")
    for ending in ("XTC", "Pdb", "DCD", "NC", "H5MD"):
        there = os.path.join(scratch, "o." + ending)
        convert(source, there)
        assert info(there)[1]["frames"] == str(FRAMES), ending
        convert(there, os.path.join(scratch, f"back-{ending}.xtc"))


def inputs_follow_each_other(scratch):
    source = sample(scratch, "orthorhombic")
    parts = [os.path.join(scratch, n) for n in ("a.xtc", "b.xtc", "ab.xtc", "c.h5md")]
    convert(source, parts[0], "--end", "0.8 ps")
    convert(source, parts[1], "--begin", "0.6 ps")
    said = convert(parts[0], parts[1], parts[2])
    assert "2 frames are not later" in said, said
    convert(parts[2], parts[3])
    assert np.allclose(contents(parts[3])[1], 0.2 * np.arange(FRAMES), rtol=1e-6)
    assert "--consecutive" in convert(source, source, os.path.join(scratch, "d.xtc"), expect=2)
    convert(source, source, os.path.join(scratch, "d.h5md"), "--consecutive")
    _, t, steps, *_ = contents(os.path.join(scratch, "d.h5md"))
    assert np.allclose(t, 0.2 * np.arange(2 * FRAMES)) and np.array_equal(steps, 100 * np.arange(2 * FRAMES))
    # Single frames are 1 ps apart, or as far as the frames that follow.
    one = os.path.join(scratch, "one.rst7")
    convert(source, one, "--begin", "0.2 ps", "--end", "0.2 ps")
    for inputs, times in (((one, one, one), [0.2, 1.2, 2.2]), ((one, source), 0.2 * np.arange(1, FRAMES + 2))):
        convert(*inputs, os.path.join(scratch, "f.nc"), "--consecutive", "-f")
        convert(os.path.join(scratch, "f.nc"), os.path.join(scratch, "f.h5md"), "-f")
        assert np.allclose(contents(os.path.join(scratch, "f.h5md"))[1], times), contents(os.path.join(scratch, "f.h5md"))[1]
    # What is left out counts, too: by a stride that does not divide the frames, and inputs that end before --begin.
    for n, (words, first, stride) in enumerate((((["--stride", "4"]), 0, 4), (["--stride", "3", "--begin", f"{0.2 * FRAMES - 0.1} ps"], FRAMES, 3))):
        convert(source, source, source, os.path.join(scratch, f"e{n}.h5md"), "--consecutive", *words)
        _, t, steps, *_ = contents(os.path.join(scratch, f"e{n}.h5md"))
        expected = np.arange(first, 3 * FRAMES, stride)
        assert np.allclose(t, 0.2 * expected) and np.array_equal(steps, 100 * expected), (words, t, steps)


def ends_are_taken_whatever_their_last_digit(scratch):
    """0.6 ps is 0.60000002 in an XTC and 0.6000000000000001 in an H5MD file: --begin and --end mean the frame, and files that overlap there have one of it."""
    source = sample(scratch, "orthorhombic", "velocities")
    times = contents(source)[1]
    assert times[3] > 0.6, times
    paths = {ending: os.path.join(scratch, "o." + ending) for ending in ("xtc", "nc", "h5md")}
    out = os.path.join(scratch, "out.h5md")
    for ending, path in paths.items():
        convert(source, path)
        for begin, end, count in (("0.2 ps", "0.6 ps", 3), ("0.6 ps", "0.6 ps", 1), ("0.4 ps", "0.59 ps", 1), ("0.61 ps", "1.2 ps", 3)):
            convert(path, out, "-f", "--begin", begin, "--end", end)
            assert len(contents(out)[1]) == count, (ending, begin, end, contents(out)[1])
    convert(source, paths["h5md"], "-f", "--end", "0.4 ps")
    for later in ("xtc", "nc"):
        assert "3 frames are not later" in convert(paths["h5md"], paths[later], out, "-f"), later
        assert len(contents(out)[1]) == FRAMES, contents(out)[1]
    table = os.path.join(scratch, "energies.h5")
    convert(table, os.path.join(scratch, "e.csv"), "--begin", "0.6 ps", "--end", "0.6 ps")


def energies_become_tables(scratch):
    """.csv and .xvg against h5py: every column, by name and unit; a choice of rows; what is refused."""
    source = sample(os.path.join(scratch, "e"), "orthorhombic")
    table = os.path.join(scratch, "e", "energies.h5")
    with h5py.File(table) as f:
        step, time = f["step"][:], f["time"][:]
        columns = {k: f[k][:] for k in f if isinstance(f[k], h5py.Dataset) and k not in ("step", "time")}
        columns.update({"bias/" + k: f["bias"][k][:] for k in f.get("bias", {})})
    csv, xvg = os.path.join(scratch, "e.csv"), os.path.join(scratch, "e.xvg")
    convert(table, csv)
    with open(csv) as f:
        head, *rows = f.read().splitlines()
    names = head.split(",")
    assert names[:2] == ["step", "time [ps]"] and "potential [kJ/mol]" in names, names
    values = np.array([[float(v) for v in row.split(",")] for row in rows])
    assert np.array_equal(values[:, 0], step) and np.allclose(values[:, 1], time, rtol=1e-9)
    assert {n.split(" [")[0] for n in names[2:]} == set(columns), names
    for k, name in enumerate(names[2:], 2):
        assert np.allclose(values[:, k], columns[name.split(" [")[0]], rtol=1e-9, equal_nan=True), name
    convert(table, xvg, "--stride", "2", "--begin", f"{time[1]} ps")
    with open(xvg) as f:
        lines = f.read().splitlines()
    legends = re.findall(r'@ s\d+ legend "(\S+)', "\n".join(lines))
    found = np.array([[float(v) for v in line.split()] for line in lines if line[0] not in "#@"])
    assert legends == [n.split(" [")[0] for n in names[2:]] and np.allclose(found[:, 0], time[1::2], rtol=1e-9) and np.allclose(found[:, 1:], values[1::2, 2:], rtol=1e-9, equal_nan=True)
    assert "is there already" in convert(table, csv, expect=2)
    assert "holds no energies of a run" in convert(source, os.path.join(scratch, "f.csv"), expect=2)
    assert "--last (for trajectories) has no effect here; leave it out" in convert(table, os.path.join(scratch, "f.csv"), "--last", expect=2)
    assert "between --begin and --end" in convert(table, os.path.join(scratch, "f.csv"), "--begin", "9 us", expect=2) and not os.path.exists(os.path.join(scratch, "f.csv"))


def molecules_are_whole_followed_and_centred(scratch):
    """A real system whose molecules are cut and wander: against brute force over images."""
    system = os.path.join(INPUTS, "alanine-dipeptide-tip3p", "system")
    with open(os.path.join(scratch, "in.yaml"), "w") as f:
        f.write(f"""version: 1
system: {{topology: {system}.prmtop.gz, coordinates: {system}.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.9 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 600 K, seed: 3}}
stages: [{{name: production, time: 0.4 ps}}]
output: {{trajectory: {{every: 0.04 ps}}, energies: {{every: 0 ps}}, report: false}}
""")
    subprocess.run([UPLIFT, "run", os.path.join(scratch, "in.yaml"), "--quiet"], check=True)
    source = os.path.join(scratch, "in", "trajectory.h5md")
    truth, _, _, edges, *_ = contents(source)
    lengths = np.diag(edges[0])
    with h5py.File(source) as f:
        bonds = f["connectivity/bonds"][:]
        molecule = f["parameters/topology/atom_molecule"][:]
    wrapped = os.path.join(scratch, "wrapped.h5md")
    convert(source, wrapped)
    with h5py.File(wrapped, "r+") as f:
        f["particles/trajectory/position/value"][:] = truth % lengths  # atom by atom: molecules are cut
    cut = contents(wrapped)[0]
    assert np.abs(cut[:, bonds[:, 0]] - cut[:, bonds[:, 1]]).max() > 1, "nothing is cut: the test says nothing"
    bond = lambda p: np.linalg.norm(p[:, bonds[:, 0]] - p[:, bonds[:, 1]], axis=2)
    out = os.path.join(scratch, "o.h5md")
    convert(wrapped, out, "--whole")
    assert np.allclose(bond(contents(out)[0]), bond(truth), atol=1e-5)
    convert(wrapped, out, "-f", "--unwrap", "--stride", "5")
    followed = contents(out)[0]
    moved = followed - followed[0]
    assert np.allclose(moved, truth[::5] - truth[0], atol=1e-5), np.abs(moved - (truth[::5] - truth[0])).max()
    # About a centre, too: what leaves the others of a selection does not jump back to them.
    convert(wrapped, out, "-f", "--unwrap", "--centre", "all")
    moved = contents(out)[0] - contents(out)[0][0]
    own = truth - truth[0]
    assert np.allclose(moved, own - own.mean(axis=1, keepdims=True), atol=1e-5), np.abs(moved - own).max()
    convert(wrapped, out, "-f", "--centre", "protein")
    centred = contents(out)[0]
    middle = lengths / 2
    solute = molecule == molecule[0]
    assert np.allclose(centred[:, solute].mean(axis=1), middle, atol=1e-5)
    assert np.allclose(bond(centred), bond(truth), atol=1e-5)
    count = np.bincount(molecule)
    for frame in centred:
        centre = np.stack([np.bincount(molecule, frame[:, k]) / count for k in range(3)], axis=1)
        assert np.all(np.abs(centre - middle) <= middle + 1e-5)
    # Everything moved by lattice vectors and one common shift.
    difference = (centred - cut)
    difference -= difference[:, :1]
    assert np.abs(difference / lengths - np.round(difference / lengths)).max() < 1e-4


def topologies_are_converted(scratch):
    for system in ("alanine-dipeptide-vacuum", "sdf1-tip3p"):
        suffix = "" if "vacuum" in system else ".gz"
        prmtop, inpcrd = (os.path.join(INPUTS, system, "system." + e + suffix) for e in ("prmtop", "inpcrd"))
        psf, pdb = os.path.join(scratch, system + ".psf"), os.path.join(scratch, system + ".pdb")
        convert(prmtop, psf)
        ours = MDAnalysis.Universe(psf)
        if suffix:
            unzipped = os.path.join(scratch, "s.prmtop")
            subprocess.run(f"gunzip -c {prmtop} > {unzipped}", shell=True, check=True)
        theirs = MDAnalysis.Universe(prmtop if not suffix else unzipped)
        assert list(ours.atoms.names) == list(theirs.atoms.names) and list(ours.atoms.types) == list(theirs.atoms.types)
        assert np.allclose(ours.atoms.charges, theirs.atoms.charges, atol=1e-6) and np.allclose(ours.atoms.masses, theirs.atoms.masses)
        pairs = lambda u, kind: {tuple(i if i[0] < i[-1] else i[::-1]) for i in map(tuple, getattr(u, kind).indices)}
        assert pairs(ours, "bonds") == pairs(theirs, "bonds") and pairs(ours, "angles") == pairs(theirs, "angles")
        assert list(ours.residues.resnames) == list(theirs.residues.resnames) and list(ours.residues.resids) == list(theirs.residues.resids)
        assert "--coordinates" in convert(prmtop, pdb, expect=2)
        convert(prmtop, pdb, "--coordinates", inpcrd)
        assert list(MDAnalysis.Universe(pdb).atoms.names) == list(theirs.atoms.names)


def energies(scratch, system, forces="{nonbonded: no-cutoff, constraints: none, rigid_water: false}"):
    base = os.path.join(scratch, "point")
    with open(base + ".yaml", "w") as f:
        f.write(f"version: 1\nsystem: {system}\nforces: {forces}\n")
    subprocess.run([UPLIFT, "energy", base + ".yaml", "--json", base + ".json", "--forces", base + ".h5", "--precision", "double"], check=True, capture_output=True)
    with open(base + ".json") as f, h5py.File(base + ".h5") as h:
        return json.load(f)["energies"], h["forces"][:]


def info(path, *words):
    done = subprocess.run([UPLIFT, "info", path, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = dict(line[2:].split(None, 1) if line[2:16].strip().count(" ") == 0 else (line[2:16].strip(), line[16:]) for line in done.stdout.splitlines()[1:])
    return done.stdout.splitlines()[0].split(": ", 1)[1], rows


def info_tells_what_is_in_other_programs_files(scratch):
    prmtop, inpcrd = (os.path.join(INPUTS, "alanine-dipeptide-tip3p", "system." + e + ".gz") for e in ("prmtop", "inpcrd"))
    psf, pdb = os.path.join(scratch, "a.psf"), os.path.join(scratch, "a.pdb")
    convert(prmtop, psf)
    convert(prmtop, pdb, "--coordinates", inpcrd)
    kind, amber = info(prmtop)
    assert kind == "Amber topology" and amber["residues"].endswith("of them water"), amber
    waters = int(re.search(r", (\d+) of them", amber["residues"])[1])
    assert waters > 500 and int(amber["molecules"]) == waters + 1, amber
    kind, of_psf = info(psf)
    assert kind == "CHARMM PSF" and "--parameters" in of_psf["note"], of_psf
    for row in ("atoms", "residues", "molecules", "total charge", "kinds", "angles"):
        assert of_psf[row] == amber[row], (row, of_psf[row], amber[row])
    kind, of_pdb = info(pdb)
    assert kind == "structure", kind
    for row in ("residues", "molecules", "kinds"):
        assert of_pdb[row] == amber[row], (row, of_pdb[row], amber[row])
    assert of_pdb["atoms"].startswith(amber["atoms"] + ", ") and of_pdb["box"][:20] == info(inpcrd)[1]["box"][:20] and 0.5 < float(of_pdb["density"].split()[0]) < 1.2
    kind, typed = info(pdb, "--forcefield", "amber99sb-ildn", "tip3p")
    assert kind == "structure with a force field" and typed["total charge"].endswith("0.000000 e") and int(typed["dihedrals"]) > 40, typed
    top, gro = os.path.join(scratch, "a.top"), os.path.join(scratch, "a.gro")
    with open(top, "w") as f:
        f.write(ARGON)
    with open(gro, "w") as f:
        f.write("argon\n    2\n    1AR     AR    1   0.100   0.200   0.300\n    2AR     AR    2   0.100   0.200   0.700\n   3.00000   3.00000   3.00000\n")
    kind, rows = info(top, "--define", "POSRES")
    assert kind == "GROMACS topology" and rows["restrained"] == "2" and rows["kinds"] == "2 AR", rows
    kind, rows = info(gro)
    assert kind == "GROMACS coordinates" and rows["residues"] == "2" and rows["kinds"] == "2 AR" and rows["box"].startswith("3.00000 x"), rows
    models = os.path.join(scratch, "models.pdb")
    convert(sample(os.path.join(scratch, "s"), "orthorhombic"), models)
    kind, rows = info(models)
    assert rows["frames"] == str(FRAMES) and rows["chains"] == "1: A (1 to 2); in none: 3 to 8" and rows["time"].startswith("0 to 1.2 ps"), rows
    assert amber["numbered"] == f"1 to {waters + 3}", amber


def info_shows_atoms(scratch):
    prmtop, inpcrd = (os.path.join(INPUTS, "alanine-dipeptide-tip3p", "system." + e + ".gz") for e in ("prmtop", "inpcrd"))
    pdb, yaml = os.path.join(scratch, "a.pdb"), os.path.join(scratch, "a.yaml")
    convert(prmtop, pdb, "--coordinates", inpcrd)
    with open(yaml, "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {prmtop}, coordinates: {inpcrd}}}\n")
    names = MDAnalysis.Universe(pdb).atoms
    table = lambda *words, expect=0: subprocess.run([UPLIFT, "info", *words], capture_output=True, text=True)
    for path in (prmtop, pdb, yaml, sample(os.path.join(scratch, "s"), "orthorhombic")):
        done = table(path, "--atoms", "name CA or name O and protein")
        assert done.returncode == 0, done.stderr
        head, columns, *lines = done.stdout.splitlines()
        assert columns.split() == ["atom", "name", "element", "resname", "resid", "chain"], columns
        assert head.startswith(f"{path}: {len(lines)} of ") and all(line.split()[1] in ("CA", "O") and line.split()[2] == line.split()[1][0] for line in lines), done.stdout
        if path.endswith("h5md"):
            continue
        assert len(lines) == 3, done.stdout
        for line in lines:
            number, name, _, residue, resid, _ = line.split()
            a = names[int(number)]
            assert (a.name, a.resname, a.resid) == (name, residue, int(resid)), (line, a)
    lines = table(prmtop, "--atoms", "all").stdout.splitlines()
    assert len(lines) == 2 + 500 + 1 and f"and {len(names) - 500} more" in lines[-1], lines[-1]
    for words, cure in (((prmtop, "--atoms", "name QQ"), "--atoms all"), ((prmtop, "--atoms", "nam CA"), "--atoms: "), ((inpcrd, "--atoms", "all"), "give a .prmtop")):
        done = table(*words)
        assert done.returncode == 2 and cure in done.stderr, done


def topologies_become_prmtops(scratch):
    """Amber's own come back with the same energies, to the nine digits of their fields; a restart beside them when coordinates are given."""
    for system, forces in {"alanine-dipeptide-vacuum": "{nonbonded: no-cutoff, constraints: none}",
                           "alanine-dipeptide-tip3p": "{nonbonded: pme, cutoff: 0.9 nm, constraints: none, rigid_water: false}"}.items():
        suffix = "" if "vacuum" in system else ".gz"
        prmtop, inpcrd = (os.path.join(INPUTS, system, "system." + e + suffix) for e in ("prmtop", "inpcrd"))
        ours = os.path.join(scratch, system + ".prmtop")
        said = convert(prmtop, ours, "--coordinates", inpcrd)
        assert ours in said and os.path.exists(os.path.join(scratch, system + ".inpcrd")), said
        a, f = energies(scratch, f"{{topology: {prmtop}, coordinates: {inpcrd}}}", forces)
        b, g = energies(scratch, f"{{topology: {ours}, coordinates: {scratch}/{system}.inpcrd}}", forces)
        assert set(a) == set(b), (set(a), set(b))
        for term in a:
            assert abs(a[term] - b[term]) < 1e-7 * abs(a[term]), (system, term, a[term], b[term])
        assert np.sqrt(np.mean((f - g) ** 2) / np.mean(f**2)) < 1e-7
        assert "is there already" in convert(prmtop, ours, "--coordinates", inpcrd, expect=2)
        os.remove(ours)
        assert system + ".inpcrd: is there already" in convert(prmtop, ours, "--coordinates", inpcrd, expect=2)
        assert not os.path.exists(ours)
        convert(prmtop, ours, "--coordinates", inpcrd, "--force")
    pdb = os.path.join(scratch, "no-parameters.pdb")
    convert(prmtop, pdb, "--coordinates", inpcrd)
    assert "--forcefield amber14sb tip3p" in convert(pdb, os.path.join(scratch, "none.prmtop"), expect=2)


def psf_and_top_are_topologies_too(scratch):
    """Of trajectories, of PDBs and of each other."""
    prmtop, inpcrd = (os.path.join(INPUTS, "alanine-dipeptide-vacuum", "system." + e) for e in ("prmtop", "inpcrd"))
    psf, top = os.path.join(scratch, "a.psf"), os.path.join(scratch, "a.top")
    convert(prmtop, psf)
    # A PSF to a PSF needs no parameters, and says the same.
    convert(psf, os.path.join(scratch, "b.psf"))
    one, two = (MDAnalysis.Universe(os.path.join(scratch, n)) for n in ("a.psf", "b.psf"))
    for kind in ("bonds", "angles", "dihedrals"):
        assert {tuple(i) for i in getattr(one, kind).indices} == {tuple(i) for i in getattr(two, kind).indices}, kind
    assert list(one.atoms.charges) == list(two.atoms.charges)
    said = convert(psf, os.path.join(scratch, "c.prmtop"), expect=2)
    assert "holds no parameters" in said and "--parameters" in said, said
    nc, pdb = os.path.join(scratch, "t.nc"), os.path.join(scratch, "t.pdb")
    convert(inpcrd, nc, "--topology", psf, "--atoms", "name CA or name C")
    assert MDAnalysis.Universe.empty(4, trajectory=True).load_new(nc).atoms.n_atoms == 4  # three carbonyl carbons would be too many
    convert(psf, pdb, "--coordinates", inpcrd)
    assert list(MDAnalysis.Universe(pdb).atoms.names) == list(one.atoms.names)
    with open(top, "w") as f:
        f.write(ARGON)
    with open(os.path.join(scratch, "a.gro"), "w") as f:
        f.write("argon\n    2\n    1AR     AR    1   0.100   0.200   0.300\n    2AR     AR    2   0.100   0.200   0.700\n   3.00000   3.00000   3.00000\n")
    gro = os.path.join(scratch, "a.gro")
    said = convert(top, os.path.join(scratch, "argon.prmtop"), "--coordinates", gro)
    assert "without a box" not in said, said
    a, _ = energies(scratch, f"{{topology: {top}, coordinates: {gro}}}")
    b, _ = energies(scratch, f"{{topology: {scratch}/argon.prmtop, coordinates: {scratch}/argon.inpcrd}}")
    assert abs(a["lj"] - b["lj"]) < 1e-7 * abs(a["lj"]) and a["lj"] < 0, (a, b)
    assert "without a box" in convert(top, os.path.join(scratch, "open.prmtop"))
    # Atoms in another order are noticed by their names, here and by every command that takes both files.
    with open(pdb) as f:
        lines = f.readlines()
    atoms = [k for k, line in enumerate(lines) if line.startswith(("ATOM", "HETATM"))]
    lines[atoms[0]], lines[atoms[1]] = lines[atoms[1]], lines[atoms[0]]
    mixed = os.path.join(scratch, "mixed.pdb")
    with open(mixed, "w") as f:
        f.writelines(lines)
    said = convert(prmtop, os.path.join(scratch, "mixed.prmtop"), "--coordinates", mixed, expect=2)
    assert re.search(r"mixed.pdb: atom \d+ is \S+ of ACE 1 in .*system.prmtop and \S+ of ACE 1 in", said) and "another element" in said, said
    with open(os.path.join(scratch, "mixed.yaml"), "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {prmtop}, coordinates: {mixed}}}\nforces: {{nonbonded: no-cutoff}}\n")
    done = subprocess.run([UPLIFT, "energy", os.path.join(scratch, "mixed.yaml")], capture_output=True, text=True)
    assert done.returncode == 2 and "another element" in done.stderr, done.stderr
    # What switches restraints on is said to be in the way.
    said = convert(top, os.path.join(scratch, "held.prmtop"), "--define", "POSRES", expect=2)
    assert "restrained" in said and "--define" in said, said
    # One frame out of many, into a restart, with velocities.
    source = sample(os.path.join(scratch, "s"), "triclinic", "velocities")
    x, t, steps, edges, v, _ = contents(source)
    for name, tolerance in (("r.rst7", 1e-7), ("r.ncrst", 1e-12)):
        assert "--last" in convert(source, os.path.join(scratch, name), expect=2)
        convert(source, os.path.join(scratch, name), "--last")
        convert(os.path.join(scratch, name), os.path.join(scratch, "back.h5md"), "-f")
        x2, t2, _, edges2, v2, _ = contents(os.path.join(scratch, "back.h5md"))
        assert np.allclose(x2[0], x[-1], rtol=3 * FLOAT, atol=tolerance) and np.allclose(v2[0], v[-1], rtol=4 * FLOAT, atol=2e-7) and abs(t2[0] - t[-1]) < 1e-6
        other = (edges2[0] - edges[-1]) @ np.linalg.inv(edges[-1])  # the same lattice; restarts are read in reduced form
        assert np.allclose(other, np.round(other), atol=1e-7) and abs(np.linalg.det(edges2[0]) / np.linalg.det(edges[-1]) - 1) < 1e-6, other
    u = MDAnalysis.Universe.empty(ATOMS, trajectory=True).load_new(os.path.join(scratch, "r.rst7"), format="INPCRD")
    assert np.allclose(u.atoms.positions, 10 * x[-1], atol=1e-4)
    if netCDF4:
        with netCDF4.Dataset(os.path.join(scratch, "r.ncrst")) as d:
            assert d.Conventions == "AMBERRESTART" and d.ConventionVersion == "1.0" and d["coordinates"].dtype == np.float64 and d["time"].shape == ()
            assert np.allclose(d["coordinates"][:], 10 * x[-1], rtol=1e-12, atol=0) and abs(d["velocities"].scale_factor - 20.455) < 1e-12


ARGON = """[ defaults ]
1 2 yes 0.5 0.8333
[ atomtypes ]
AR 18 39.948 0.0 A 0.34 0.996
[ moleculetype ]
AR 1
[ atoms ]
1 AR 1 AR AR 1 0.0
#ifdef POSRES
[ position_restraints ]
1 1 1000 1000 1000
#endif
[ system ]
argon
[ molecules ]
AR 2
"""


def damaged_files_are_refused(scratch):
    """Cut anywhere, or with bytes changed: a message and exit status 2, or a shorter trajectory; never a crash."""
    rng = random.Random(5)
    source = sample(scratch, "triclinic", "velocities")
    out = os.path.join(scratch, "o.pdb")
    names = os.path.join(scratch, "topology.pdb")
    refused = 0
    for ending in ("xtc", "dcd", "nc", "pdb", "h5md"):
        path = os.path.join(scratch, "whole." + ending)
        convert(source, path)
        with open(path, "rb") as f:
            whole = f.read()
        damaged = os.path.join(scratch, "damaged." + ending)
        for trial in range(25):
            data = bytearray(whole[: rng.randrange(len(whole))] if trial % 2 else whole)
            for _ in range(0 if trial % 2 else rng.randrange(1, 20)):
                data[rng.randrange(min(len(data), 4000))] = rng.randrange(256)
            with open(damaged, "wb") as f:
                f.write(data)
            done = subprocess.run([UPLIFT, "convert", damaged, out, "-f", "--topology", names], capture_output=True, text=True)
            assert done.returncode in (0, 2), (ending, trial, done.returncode, done.stderr)
            assert done.returncode == 0 or "error: " in done.stderr and "bug" not in done.stderr, done.stderr
            refused += done.returncode == 2
            told = subprocess.run([UPLIFT, "info", damaged], capture_output=True, text=True)
            assert told.returncode in (0, 2), (ending, trial, told.returncode, told.stderr)
    assert refused > 30, refused


if __name__ == "__main__":
    run_all(round_trips_keep_what_the_format_holds, independent_readers_see_the_same, xtc_of_others_and_for_others, real_water_compresses_as_elsewhere, dcd_of_others,
            dcd_says_when_frames_were, pdb_without_a_title_says_when_frames_were, of_models_the_first_is_taken_and_said, netcdf_of_others, h5md_of_others, frames_and_atoms_are_chosen, options_without_effect_are_refused, endings_may_be_in_capitals, info_shows_atoms, inputs_follow_each_other, ends_are_taken_whatever_their_last_digit, energies_become_tables, molecules_are_whole_followed_and_centred,
            topologies_are_converted, topologies_become_prmtops, info_tells_what_is_in_other_programs_files, psf_and_top_are_topologies_too, damaged_files_are_refused)
