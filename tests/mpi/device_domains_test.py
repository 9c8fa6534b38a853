#!/usr/bin/python3
"""One system on several ranks with a device each: the same bits on two, three and four of them, forces that are the CPU's, a kill.

  device_domains_test.py UPLIFT MPIRUN [MPIRUN OPTIONS]      exit status 77 (skip) when h5py is missing

UPLIFT_DEVICE: simt, the emulator (default), or cuda, where all ranks of a machine with one GPU share it.
"""
import os
import signal
import subprocess
import tempfile
import time

from domains import HEAD, PATIENCE, command, contents, differing, frames, h5py, np, ranks_of, run, with_exception, write_input, write_water

DEVICE = os.environ.get("UPLIFT_DEVICE", "simt")
# Steps are dear on the emulator, so barostats see to it that atoms are shared out anew every few of them.
CASES = {
    "npt-boost": ((2, 3, 4), """dynamics: {integrator: langevin, timestep: 2 fs, temperature: 300 K, seed: 4}
stages:
  - name: npt
    time: 24 fs
    pressure: {barostat: monte-carlo, every: 4}
    bias: {method: amd, boost: dual, parameters: {dihedral: {threshold: 200 kJ/mol, alpha: 40 kJ/mol}, total: {threshold: 0 kJ/mol, alpha: 8000 kJ/mol}}}
"""),
    "levels": ((2, 4), """dynamics: {integrator: langevin, timestep: 4 fs, temperature: 300 K, seed: 5}
stages:
  - {name: levels, time: 24 fs, hydrogen_mass: 3 amu, multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]}
  - {name: rescale, time: 8 fs, integrator: v-rescale, timestep: 2 fs, restraints: {positions: protein-heavy}}
"""),
    "nve": ((2, 3), """dynamics: {integrator: verlet, timestep: 2 fs, temperature: 900 K, seed: 3}
stages:
  - {name: nve, time: 28 fs}
"""),
}
REPORT = ["--set", "output.trajectory.every=8 fs", "--set", "output.energies.every=8 fs"]


def skewed_water(scratch):
    """Virtual sites in a triclinic box, from where the CPU has put them at ease."""
    pdb = write_water(scratch, 26.2, (70.53, 109.47, 70.53), 8)
    path = os.path.join(scratch, "sites.yaml")
    with open(path, "w") as f:
        f.write(HEAD.format(i="", s="", p="mixed", c="15 min", b=DEVICE).replace("0.8 nm", "0.6 nm").replace("topology: //system.prmtop.gz, coordinates: //system.inpcrd.gz", f"topology: {pdb}, coordinates: {pdb}, forcefield: [tip4pew]"))
        f.write("dynamics: {integrator: langevin, timestep: 0.5 fs, temperature: 300 K, seed: 6}\n"
                "stages:\n  - {name: minimise, minimize: {max_steps: 4}}\n  - {name: water, time: 5 fs, pressure: {barostat: c-rescale, every: 4, coupling: anisotropic}}\n")
    return path


def direct(scratch):
    """Messages past the host, as with an MPI library that knows of GPUs: the emulator leaves its memory open."""
    os.environ["UPLIFT_SIMT_MEMORY"] = "open"
    path = write_input(scratch, "direct", CASES["npt-boost"][1], backend=DEVICE)
    out = run(3, path, *REPORT)
    del os.environ["UPLIFT_SIMT_MEMORY"]
    for folder, words in ((out, "messages from device memory"), (os.path.join(scratch, "out-npt-boost-3"), "messages through pinned memory")):
        with open(os.path.join(folder, "run.log")) as f:
            assert words in f.read(), (folder, words)
    wrong = differing(contents(os.path.join(scratch, "out-npt-boost-3")), contents(out))
    assert not wrong, f"messages from device memory: {wrong} differ"
    print("messages from device memory: same bits", flush=True)


def same_bits(scratch):
    inputs = {name: (ranks, write_input(scratch, name, body, backend=DEVICE)) for name, (ranks, body) in CASES.items()}
    inputs["sites"] = ((2, 3), skewed_water(scratch))
    inputs["exception"] = ((2, 3), with_exception(scratch, write_input(scratch, "exception", CASES["nve"][1], backend=DEVICE)))
    for name, (numbers, path) in inputs.items():
        first = contents(run(numbers[0], path, *REPORT))
        for ranks in numbers[1:]:
            # Fewer ranks for the mesh than for the rest.
            wrong = differing(first, contents(run(ranks, path, *REPORT, "--set", f"compute.mesh_ranks={ranks // 2}")))
            assert not wrong, f"{name}: {ranks} ranks differ from {numbers[0]} in {wrong}"
        print(f"{name}: same bits on {numbers} ranks", flush=True)
    return first


def kill(scratch):
    """What two ranks leave, one of which is killed, goes on with three and ends with the bits of an undisturbed run."""
    path = write_input(scratch, "kill", CASES["npt-boost"][1], checkpoint="0.1 s", backend=DEVICE)
    out = os.path.join(scratch, "killed")
    arguments = ["run", path, "--quiet", "--resume", *REPORT, "--set", "output.directory=" + out]
    job = subprocess.Popen(command(2, *arguments), stderr=subprocess.PIPE, text=True)
    limit = time.time() + 120 * PATIENCE
    while not frames(out) and job.poll() is None and time.time() < limit:
        time.sleep(0.05)
    time.sleep(1)
    assert job.poll() is None, f"it ended before it could be disturbed: {job.communicate()[1]}"
    os.kill(ranks_of(job)[-1], signal.SIGKILL)
    began = time.time()
    job.communicate(timeout=300 * PATIENCE)
    assert time.time() - began < 10 * PATIENCE, f"{time.time() - began:.1f} s until it ended"
    assert job.returncode == 1, job.returncode
    subprocess.run(command(3, *arguments), check=True, capture_output=True, timeout=300 * PATIENCE)
    wrong = differing(contents(os.path.join(scratch, "out-npt-boost-4")), contents(out))
    assert not wrong, f"after a kill, {wrong} differ"
    print("killed on 2 ranks, ended on 3: same bits", flush=True)


def energies(scratch):
    """Forces of several ranks are those of one, and of the CPU, as far as float goes, and to the last digits in double."""
    for precision, limit in (("mixed", 4e-6), ("double", 1e-11)):
        found = []
        for backend, ranks in (("cpu", 1), (DEVICE, 1), (DEVICE, 2), (DEVICE, 3), (DEVICE, 4)):
            path = write_input(scratch, f"point-{precision}-{backend}", "", precision=precision, backend=backend)
            name = os.path.join(scratch, f"{precision}-{backend}-{ranks}")
            subprocess.run(command(ranks, "energy", path, "--json", name + ".json", "--forces", name + ".h5"), check=True, capture_output=True, timeout=120 * PATIENCE)
            with h5py.File(name + ".h5") as f:
                found.append(f["forces"][()])
        cpu, one, two = found[:3]
        assert np.array_equal(two, found[3]) and np.array_equal(two, found[4]), precision
        for name, other in (("the CPU", cpu), ("one", one)):
            error = np.sqrt(np.mean((other - two) ** 2) / np.mean(other**2))
            assert error < limit, (precision, name, error)
            print(f"{precision}: forces of several ranks differ from those of {name} by {error:.1e} of the rms force", flush=True)


with tempfile.TemporaryDirectory() as folder:
    energies(folder)
    same_bits(folder)
    if DEVICE == "simt":  # the others are done with those few steps before anybody could disturb them
        direct(folder)
        kill(folder)
