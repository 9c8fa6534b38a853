#!/usr/bin/python3
"""One system on several ranks: the same bits on two, three and four of them, kills, signals and refusals.

  domains_test.py UPLIFT MPIRUN [MPIRUN OPTIONS]      exit status 77 (skip) when h5py is missing
"""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from domains import ALANINE, HEAD, INPUTS, MPIRUN, PATIENCE, UPLIFT, children, command, contents, datasets, differing, frames, h5py, np, ranks_of, run, with_exception, write_exception, write_input, write_water

CASES = {
    "nve": """dynamics: {integrator: verlet, timestep: 2 fs, temperature: 300 K, seed: 3}
stages:
  - {name: minimise, minimize: {max_steps: 5}}
  - {name: nve, time: 0.44 ps}
""",
    "npt-boost": """dynamics: {integrator: langevin, timestep: 2 fs, temperature: 300 K, seed: 4}
stages:
  - name: npt
    time: 0.44 ps
    pressure: {barostat: monte-carlo, every: 10}
    bias: {method: amd, boost: dual, parameters: {dihedral: {threshold: 200 kJ/mol, alpha: 40 kJ/mol}, total: {threshold: 0 kJ/mol, alpha: 8000 kJ/mol}}}
""",
    "levels": """dynamics: {integrator: langevin, timestep: 4 fs, temperature: 300 K, seed: 5}
stages:
  - {name: levels, time: 0.84 ps, hydrogen_mass: 3 amu, multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]}
  - {name: rescale, time: 0.04 ps, integrator: v-rescale, timestep: 2 fs, pressure: {barostat: c-rescale, every: 5}}
""",
}


def skewed_water(scratch):
    """Virtual sites in a triclinic box."""
    path = os.path.join(scratch, "sites.yaml")
    pdb = write_water(scratch, 34.0, (70.53, 109.47, 70.53), 10)
    with open(path, "w") as f:
        f.write(HEAD.format(i="", s="", p="mixed", c="15 min", b="cpu").replace("topology: //system.prmtop.gz, coordinates: //system.inpcrd.gz", f"topology: {pdb}, coordinates: {pdb}, forcefield: [tip4pew]"))
        f.write("dynamics: {integrator: langevin, timestep: 2 fs, temperature: 300 K, seed: 6}\n"
                "stages:\n  - {name: minimise, minimize: {max_steps: 60}}\n  - {name: water, time: 0.44 ps, pressure: {barostat: c-rescale, every: 10, coupling: anisotropic}}\n")
    return path


def same_bits(scratch):
    inputs = {name: write_input(scratch, name, body) for name, body in CASES.items()}
    inputs["sites"] = skewed_water(scratch)
    inputs["exception"] = with_exception(scratch, write_input(scratch, "exception", CASES["nve"]))
    for name, path in inputs.items():
        first = contents(run(2, path))
        # Ranks that transform the mesh: tried out on two, and fewer than all on the others.
        for ranks, mesh in ((3, 2), (4, 1)):
            out = run(ranks, path, "--threads", "2" if ranks == 3 else "1", "--set", f"compute.mesh_ranks={mesh}")
            wrong = differing(first, contents(out))
            assert not wrong, f"{name}: {ranks} ranks, {mesh} for the mesh, differ from 2 in {wrong}"
            with open(os.path.join(out, "performance.json")) as f:
                assert {stage["ranks"]["mesh_ranks"] for stage in json.load(f)["stages"] if "ranks" in stage} == {mesh}
            with open(os.path.join(out, "run.log")) as f:
                assert f"of the ranks, {mesh} transform the mesh" in f.read()
        print(f"{name}: same bits on 2, 3 and 4 ranks", flush=True)


def kills(scratch):
    """A rank that dies takes the job down; what it left goes on, on another number of ranks, and ends with the same bits. One that is asked to stop stops all."""
    path = write_input(scratch, "kill", CASES["npt-boost"].replace("0.44", "1.2"), checkpoint="0.2 s")
    wanted = contents(run(4, path))
    out = os.path.join(scratch, "killed")
    arguments = ["run", path, "--quiet", "--resume", "--set", "output.directory=" + out]
    # To a rank, to mpirun, and to the process that mpirun takes for a rank.
    for how, to, ranks in ((signal.SIGKILL, lambda job: ranks_of(job)[-1], 2), (signal.SIGUSR1, lambda job: job.pid, 3), (signal.SIGTERM, lambda job: children(job.pid)[0], 3), (None, None, 4)):
        job = subprocess.Popen(command(ranks, *arguments), stderr=subprocess.PIPE, text=True)
        if how:
            before = frames(out)
            limit = time.time() + 120 * PATIENCE
            while frames(out) <= before and job.poll() is None and time.time() < limit:
                time.sleep(0.05)
            assert job.poll() is None, f"it ended before it could be disturbed: {job.communicate()[1]}"
            victim = to(job)
            os.kill(victim, how)
            began = time.time()
        error = job.communicate(timeout=300 * PATIENCE)[1]
        if how:
            assert time.time() - began < 10 * PATIENCE, f"{time.time() - began:.1f} s until it ended"
        if how == signal.SIGKILL:
            assert job.returncode == 1 and f"error: rank 1 (process {victim}) was ended by signal 9 (Killed)" in error, (job.returncode, error)
        else:
            assert job.returncode == (3 if how else 0), (job.returncode, error)
    wrong = differing(wanted, contents(out))
    assert not wrong, f"after a kill and a signal, {wrong} differ"
    print("killed on 2 ranks, stopped twice on 3, ended on 4: same bits", flush=True)


def replicas(scratch):
    """Each replica on ranks of its own: the same bits for any number of them, exchanging, stopped and resumed, or one by itself."""
    rex = write_input(scratch, "rex", """dynamics: {integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 5 /ps, seed: 7}
stages:
  - {name: warm, time: 0.1 ps}
  - {name: rex, time: 0.3 ps, exchange: {temperatures: [300 K, 302 K, 304 K], every: 0.02 ps}}
""")
    teams = lambda ranks, each: run_replicas(scratch, rex, ranks, each)
    wanted = teams(2, 2)
    accepted = wanted["exchange.h5/stages/rex/accepted"]
    assert (accepted == 1).any() and accepted.shape[1] == 2, accepted
    for ranks, each in ((4, 2), (3, 3)):
        wrong = differing(wanted, teams(ranks, each))
        assert not wrong, f"{ranks} ranks, {each} a replica: {wrong} differ"
    plain = write_input(scratch, "plain", "dynamics: {integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 5 /ps, seed: 7}\nstages: [{name: go, time: 0.2 ps}]\n")
    everything = run_replicas(scratch, plain, 4, 2, "--set", "compute.replicas=2")
    alone = os.path.join(scratch, "alone")
    subprocess.run(command(3, "run", plain, "--quiet", "--replica", "2", "--set", "compute.replicas=2", "--set", "output.directory=" + alone), check=True, timeout=300 * PATIENCE)
    wrong = differing({k: v for k, v in everything.items() if k.startswith("replica-002/")}, contents(alone, "replica-002/"))
    assert not wrong, f"one replica by itself: {wrong} differ"
    print("replicas on 2 and 3 ranks each: same bits, exchanging too, and one by itself", flush=True)


def run_replicas(scratch, path, ranks, each, *more):
    out = run(ranks, path, "--set", f"compute.ranks_per_replica={each}", *more)
    found = {}
    for folder, _, names in sorted(os.walk(out)):
        where = os.path.relpath(folder, out) + "/"
        if "trajectory.h5md" in names:
            found |= contents(out, where)
    if os.path.exists(os.path.join(out, "exchange.h5")):
        found.update(datasets(os.path.join(out, "exchange.h5"), "exchange.h5/"))
    return found


def failing_replicas(scratch):
    """A replica that blows up ends in good order on all its ranks, and the next one has its turn."""
    path = write_input(scratch, "hot", "dynamics: {integrator: verlet, timestep: 20 fs, temperature: 300 K, seed: 8}\nstages: [{name: go, time: 40 ps}]\n")
    done = subprocess.run(command(2, "run", path, "--set", "compute.replicas=2", "--set", "compute.ranks_per_replica=2", "--set", "output.directory=" + os.path.join(scratch, "hot")), capture_output=True, text=True, timeout=300 * PATIENCE)
    assert done.returncode == 1, (done.returncode, done.stderr)
    for words in ("replica 1 (", "replica 2 (", "What usually cures it"):
        assert words in done.stderr, (words, done.stderr)
    for k in (1, 2):
        with open(os.path.join(scratch, "hot", f"replica-00{k}", "run.log")) as f:
            assert "What usually cures it" in f.read()
    print("replicas that blow up on 2 ranks: both said so", flush=True)


def refusals(scratch):
    vacuum = os.path.join(scratch, "vacuum.yaml")
    with open(vacuum, "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {INPUTS}/sdf1-implicit/system.prmtop.gz, coordinates: {INPUTS}/sdf1-implicit/system.inpcrd.gz}}\n"
                "forces: {nonbonded: no-cutoff}\nstages: [{name: a, time: 4 fs}]\n")
    periodic = write_input(scratch, "refused", CASES["nve"])
    for path, arguments, ranks, words in (
        (vacuum, [], 2, "no-cutoff"),
        (vacuum, ["--set", "compute.backend=simt"], 2, "no-cutoff"),
        (periodic, [], 5, "5 ranks do not fit this box"),
        (periodic, ["--set", "compute.ranks_per_replica=5", "--set", "compute.replicas=2"], 5, "5 ranks do not fit this box"),
        (periodic, ["--set", "compute.ranks_per_replica=3"], 2, "ranks_per_replica"),
        (periodic, ["--set", "compute.mesh_ranks=3"], 2, "compute.mesh_ranks: 3, and 2 ranks work on a replica"),
        (periodic, ["--set", "compute.mesh_ranks=2"], 1, "compute.mesh_ranks: 2, and 1 rank works on a replica"),
        (periodic, ["--set", "compute.ranks_per_replica=2"], 1, "ranks_per_replica"),
        (periodic, ["--set", "compute.ranks_per_replica=2", "--set", "compute.replicas=4"], 3, "start a multiple of it (mpirun -n 2 to 8)"),
    ):
        done = subprocess.run(command(ranks, "run", path, *arguments, "--set", "output.directory=" + os.path.join(scratch, "none")), capture_output=True, text=True, timeout=120 * PATIENCE)
        assert done.returncode == 2 and words in done.stderr, (arguments, done.returncode, done.stderr)
        assert done.stderr.count("error on rank") <= 1, (arguments, done.stderr)  # by one rank, not by each
        shutil.rmtree(os.path.join(scratch, "none"), ignore_errors=True)
    print("refused by name: no-cutoff, ranks that do not fit", flush=True)


def other_files(scratch):
    """Ranks that see other files under the same names, as on machines whose folders are not shared: refused, whatever differs."""
    text = HEAD.format(i="/proc/self/cwd", s=".", p="mixed", c="15 min", b="cpu")
    there = {}
    for name in ("as they are", "parameters", "input"):
        folder = there[name] = os.path.join(scratch, name.replace(" ", "-"))
        os.makedirs(folder)
        for kind in ("prmtop", "inpcrd"):
            shutil.copy(f"{INPUTS}/{ALANINE}/system.{kind}.gz", folder)
        with open(os.path.join(folder, "x.yaml"), "w") as f:
            f.write(text.replace("0.8 nm", "0.7 nm") if name == "input" else text)
    with open(write_exception(scratch), "rb") as f, gzip.open(os.path.join(there["parameters"], "system.prmtop.gz"), "wb") as out:
        out.write(f.read())
    # Not `-wdir A ... : -wdir B ...`: mpirun of Open MPI 5.0.7 (Debian 13) crashes at any colon.
    elsewhere = 'if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then cd "$1"; else cd "$2"; fi; exec "$3" energy x.yaml'
    for name, words in (("as they are", "potential"), ("parameters", "has read another system than rank 0"), ("input", "another input here than on rank 0")):
        done = subprocess.run(MPIRUN + ["-n", "2", "sh", "-c", elsewhere, "sh", there["as they are"], there[name], UPLIFT], capture_output=True, text=True, timeout=120 * PATIENCE)
        assert done.returncode == (0 if words == "potential" else 2) and words in done.stdout + done.stderr, (name, done.returncode, done.stdout, done.stderr)
    print("ranks that have read other files: refused", flush=True)


def crowds(scratch):
    """More ranks than processors: the log says so, and of as many as there are nothing."""
    path = write_input(scratch, "crowd", CASES["nve"].replace("0.44", "0.02"))
    usable = sorted(os.sched_getaffinity(0))
    for ranks, cores in ((3, usable[:2]), (2, usable[:2])):
        out = os.path.join(scratch, f"crowd-{ranks}")
        done = subprocess.run(["taskset", "-c", ",".join(map(str, cores)), *command(ranks, "run", path, "--set", "output.directory=" + out)], capture_output=True, text=True, timeout=120 * PATIENCE)
        said = re.search(rf"{ranks} ranks share (one|\d+) processor", done.stdout)
        assert done.returncode == 0 and (ranks > len(cores)) <= bool(said) and not (said and said[1] == str(ranks)), (ranks, done.returncode, done.stdout, done.stderr)
    print("more ranks than processors: said", flush=True)


def lost_interactions(scratch):
    """An atom that is too far from those that it is bonded to: its interactions are with nobody, and that is noticed, with a mesh and without."""
    with gzip.open(os.path.join(INPUTS, ALANINE, "system.inpcrd.gz"), "rt") as f:
        lines = f.read().splitlines()
    count = (3 * int(lines[1].split()[0]) + 5) // 6
    values = [float(line[k:k + 12]) for line in lines[2:2 + count] for k in range(0, len(line), 12)]
    for c in range(30, 33):
        values[c] += 13
    far = os.path.join(scratch, "far.inpcrd")
    with open(far, "w") as f:
        f.write("\n".join(lines[:2] + ["".join(f"{v:12.7f}" for v in values[k:k + 6]) for k in range(0, len(values), 6)] + lines[2 + count:]) + "\n")
    path = write_input(scratch, "far", "")
    for nonbonded in ("pme", "reaction-field"):
        done = subprocess.run(command(2, "energy", path, "--set", "system.coordinates=" + far, "--set", "forces.constraints=none", "--set", "forces.nonbonded=" + nonbonded), capture_output=True, text=True, timeout=120 * PATIENCE)
        assert done.returncode == 1 and re.search(r"of \d+ bonded interactions, exclusions and constraints, ranks have taken", done.stderr), (nonbonded, done.returncode, done.stdout, done.stderr)
    print("interactions that no rank has: noticed with PME and with a reaction field", flush=True)


def energies(scratch):
    """One rank adds up differently; forces of several agree with it as far as float goes, and to the last digits in double."""
    for precision, limit, change in (("mixed", 1e-5, None), ("mixed", 1e-5, with_exception), ("double", 1e-9, None)):
        path = write_input(scratch, "point-" + precision, "", precision=precision)
        if change:
            path = change(scratch, path)
        found = []
        for ranks in (1, 2, 3):
            name = os.path.join(scratch, f"{precision}-{ranks}")
            subprocess.run(command(ranks, "energy", path, "--json", name + ".json", "--forces", name + ".h5"), check=True, capture_output=True, timeout=120 * PATIENCE)
            with h5py.File(name + ".h5") as f:
                found.append(f["forces"][()])
        assert np.array_equal(found[1], found[2]), precision
        one, two = found[:2]
        error = np.sqrt(np.mean((one - two) ** 2) / np.mean(one**2))
        assert error < limit, (precision, error)
        print(f"{precision}: forces of several ranks differ from those of one by {error:.1e} of the rms force", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        wanted = os.environ.get("UPLIFT_CHECKS", "energies refusals other_files crowds lost_interactions same_bits kills replicas failing_replicas")
        for name in wanted.split():
            globals()[name](folder)
