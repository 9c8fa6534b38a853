#!/usr/bin/python3
"""Opens files of a made-up system, whose numbers are known, with the readers that users have.

  sample_test.py WRITE_SAMPLE      exit status 77 (skip) when h5py or MDAnalysis is missing
"""
import json
import os
import random
import signal
import subprocess
import sys
import warnings

from checks import run_all

warnings.simplefilter("ignore")
try:
    import h5py
    import MDAnalysis
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

WRITE_SAMPLE = os.path.abspath(sys.argv[1])
FRAMES = 7


def write(folder, kind, *flags):
    subprocess.run([WRITE_SAMPLE, folder, kind, str(FRAMES), *flags], check=True)
    return folder


def universe(folder):
    return MDAnalysis.Universe(os.path.join(folder, "topology.pdb"), os.path.join(folder, "trajectory.h5md"))


def positions(atoms, frame):
    """Of sample_system.hpp, in Angstrom."""
    i = np.arange(atoms)
    return 10 * np.stack([0.1 * i + 0.01 * frame, np.sin(i), -0.05 * i], axis=1)


def close(a, b, scale):
    """Equal to float32: two roundings (storing, and the conversion to Angstrom) of numbers up to `scale`."""
    return np.allclose(a, b, rtol=0, atol=2 * scale * 2.0**-24)


def mdanalysis_reads_frames(folder):
    for kind, box in (("orthorhombic", lambda n: [30 + 0.01 * n, 40 + 0.01 * n, 50 + 0.01 * n, 90, 90, 90]),
                      ("triclinic", lambda n: [30 + 0.01 * n] * 3 + [70.528779, 109.471221, 70.528779]), ("open", None)):
        u = universe(write(os.path.join(folder, kind), kind, "velocities", "forces"))
        assert len(u.trajectory) == FRAMES and len(u.atoms) == 32
        for n, ts in enumerate(u.trajectory):
            x = positions(32, n)
            assert abs(ts.time - 0.2 * n) < 1e-12 and ts.data["step"] == 100 * n
            assert close(ts.positions, x, 40), kind
            assert close(ts.velocities, 0.5 * x, 20), kind
            assert close(ts.forces, -100 * x / 100, 40), kind  # kJ/mol/nm of -100 x[nm], in kJ/mol/A
            if box is None:
                assert ts.dimensions is None
            else:
                expected = np.array(box(n))
                if kind == "triclinic":  # the reduced cell of a truncated octahedron has the same edges and volume
                    assert np.allclose(ts.dimensions[:3], expected[:3], atol=1e-5), ts.dimensions
                    assert np.isclose(ts.volume, expected[0] ** 3 * 4 / (3 * np.sqrt(3)), rtol=1e-6), ts.volume
                    angles = np.minimum(ts.dimensions[3:], 180 - ts.dimensions[3:])
                    assert np.allclose(angles, 70.528779, atol=1e-4), ts.dimensions
                else:
                    assert np.allclose(ts.dimensions, expected, atol=1e-5), ts.dimensions


def mdanalysis_measures_distances(folder):
    """Nearest images in the reduced triclinic cell, found by brute force over neighbouring cells."""
    u = universe(write(folder, "triclinic"))
    u.trajectory[3]
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        edges = 10 * f["particles/trajectory/box/edges/value"][3]
    from MDAnalysis.lib.distances import calc_bonds
    shifts = np.array([[i, j, k] for i in range(-4, 5) for j in range(-4, 5) for k in range(-4, 5)]) @ edges
    x = u.atoms.positions.astype(float)
    for a, b in ((0, 31), (3, 20), (7, 30)):
        brute = np.linalg.norm(x[b] - x[a] + shifts, axis=1).min()
        measured = calc_bonds(u.atoms.positions[[a]], u.atoms.positions[[b]], box=u.dimensions)[0]
        assert abs(measured - brute) < 1e-4, (a, b, measured, brute)


def topology_pdb_tells_the_same_as_the_trajectory(folder):
    u = universe(write(folder, "orthorhombic"))
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        t = f["parameters/topology"]
        assert list(u.atoms.names) == list(t["atom_name"].asstr()[:])
        assert list(u.residues.resnames) == list(t["residue_name"].asstr()[:])
        assert list(u.residues.resids) == list(t["residue_number"][:])
        pairs = {tuple(sorted(b)) for b in t["bonds"][:]}
        assert f[f["connectivity/bonds"].attrs["particles_group"]].name == "/particles/trajectory"
    assert {tuple(sorted(b.indices)) for b in u.bonds} == pairs
    assert list(u.atoms[:4].elements) == ["N", "H", "C", "H"] and u.atoms[11].element == "Na"
    assert len(u.select_atoms("protein")) == 11
    assert len(u.atoms.fragments) == 2 + 2 * 5  # virtual sites are bonded to nothing


def attributes_are_text(folder):
    """A fixed-length string would come back as bytes, and no reader would know the unit."""
    def check(name, item):
        for key, value in item.attrs.items():
            if isinstance(value, (bytes, np.bytes_)):
                raise AssertionError(f"{name}: {key} is bytes")
    write(folder, "orthorhombic", "velocities", "forces")
    for name in ("trajectory.h5md", "energies.h5", "forces.h5"):
        with h5py.File(os.path.join(folder, name)) as f:
            f.visititems(check)
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        assert list(f["particles/trajectory/box"].attrs["boundary"]) == ["periodic"] * 3
        assert f["parameters/input"].asstr()[()] == "version: 1\ntitle: \u00e5ngstr\u00f6m\n"


def subset_and_topology_agree(folder):
    u = universe(write(folder, "orthorhombic", "subset"))
    assert list(u.atoms.names) == ["N", "CA", "C", "O", "Na+", "O", "H1"]
    u.trajectory[2]
    assert close(u.atoms.positions, positions(32, 2)[[0, 2, 5, 6, 11, 12, 13]], 40)


def rounded_positions_are_smaller_and_close(folder):
    u = universe(write(folder, "orthorhombic", "rounded"))
    n = len(u.atoms)
    u.trajectory[FRAMES - 1]
    # Half of 1e-4 nm, and the last place of a float where coordinates are too large for the grid.
    assert np.all(np.abs(u.atoms.positions - positions(n, FRAMES - 1)) <= 0.5e-3 + 2 * 4100 * 2.0**-24)
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        value = f["particles/trajectory/position/value"]
        assert value.compression == "gzip" and value.shuffle and value.chunks == (1, n, 3)


def energies_and_forces(folder):
    write(folder, "orthorhombic")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        assert list(f["step"]) == [100 * n for n in range(FRAMES)]
        assert np.array_equal(f["bond"], 1.0 + np.arange(FRAMES)) and np.all(f["lj"][:] == -2.5)
        assert np.array_equal(f["potential"], f["bond"][:] - 2.25) and np.array_equal(f["total"], f["potential"][:] + 10)
        assert f["volume"].attrs["unit"] == "nm+3" and abs(f["volume"][0] - 60) < 1e-9
    with open(os.path.join(folder, "energy.json")) as f:
        report = json.load(f)
    with h5py.File(os.path.join(folder, "forces.h5")) as f:
        assert f["forces"].dtype == np.float64 and f["forces"].shape == (32, 3)
        assert close(10 * f["positions"][:], positions(32, 0), 40)
        assert {k: f["energies"].attrs[k] for k in f["energies"].attrs} == report["energies"]
        assert f.attrs["atoms"] == report["atoms"] == 32 and list(f["pme"].attrs["grid"]) == report["pme"]["grid"] == [32, 36, 40]


def running_and_killed_jobs_can_be_read(folder):
    rounds = int(os.environ.get("UPLIFT_KILLS", "10"))
    rng = random.Random(1)
    for n in range(rounds):
        flags = ["velocities", "endless"] + (["rounded"] if n % 2 else [])
        job = subprocess.Popen([WRITE_SAMPLE, folder, "triclinic", "0", *flags], stdout=subprocess.PIPE, text=True)
        for _ in range(rng.randint(1, 60)):
            flushed = int(job.stdout.readline())
        try:
            if n == 0:
                u = universe(folder)  # while it runs
                assert len(u.trajectory) > flushed
                u.trajectory.close()  # HDF5 would share its view of the file with whoever opens it again in this process
                second = subprocess.run([WRITE_SAMPLE, folder, "triclinic", "3"], capture_output=True, text=True)
                assert second.returncode != 0 and "another job" in second.stderr, second.stderr
        finally:
            job.send_signal(signal.SIGKILL)
            rest = job.communicate()[0].split()
        flushed = int(rest[-1]) if rest else flushed
        u = universe(folder)
        assert len(u.trajectory) > flushed, (n, flags, flushed, len(u.trajectory))
        for frame in range(flushed + 1):
            u.trajectory[frame]
            assert abs(u.atoms.positions[0, 0] - 0.1 * frame) <= 0.5e-3 + 1e-5
        u.trajectory.close()
        with h5py.File(os.path.join(folder, "energies.h5")) as f:
            assert f["step"].shape[0] > flushed and np.array_equal(f["bond"][: flushed + 1], 1.0 + np.arange(flushed + 1))


if __name__ == "__main__":
    run_all(mdanalysis_reads_frames, mdanalysis_measures_distances, topology_pdb_tells_the_same_as_the_trajectory,
            attributes_are_text, subset_and_topology_agree, rounded_positions_are_smaller_and_close, energies_and_forces,
            running_and_killed_jobs_can_be_read)
