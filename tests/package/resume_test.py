#!/usr/bin/python3
"""What a run goes on from: full disks, damaged checkpoints, inputs and files that have changed since.

  resume_test.py UPLIFT      exit status 77 (skip) when h5py is missing
"""
import contextlib
import os
import re
import resource
import subprocess
import time

from checks import INPUTS, UPLIFT, run_all
from hdf5 import datasets, h5py, np

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
{stages}output: {{trajectory: {{every: 20 fs, velocities: true, forces: true}}, energies: {{every: 20 fs}}, checkpoint: {{every: 0.02 s}}, report: false}}
compute: {{threads: 1}}
""")
    return path


def run(path, out, *options):
    return subprocess.run([UPLIFT, "run", path, "--set", "output.directory=" + out, *options], capture_output=True, text=True, timeout=120)


def contents(folder):
    found = {}
    for name in ("trajectory.h5md", "energies.h5"):
        found.update(datasets(os.path.join(folder, name), name + "/"))
    for name in ("amd.log", "stages.json"):
        with open(os.path.join(folder, name)) as f:
            found[name] = f.read()
    return found


def differing(a, b):
    assert a.keys() == b.keys(), a.keys() ^ b.keys()
    return [k for k in a if not (np.array_equal(a[k], b[k]) if isinstance(a[k], np.ndarray) else a[k] == b[k])]


def tables(folder, name):
    found = {}
    for file in ("trajectory.h5md", "energies.h5", "exchange.h5"):
        if os.path.exists(os.path.join(folder, file)):
            found.update(datasets(os.path.join(folder, file), os.path.join(name, file, "")))
    return found


class SmallDisk:
    def __init__(self, place):
        self.place, self.out, self.mounted = place, os.path.join(place, "out"), False
        os.mkdir(place)

    def begin(self, kilobytes):
        self.end()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", self.place], check=True, capture_output=True)
        self.mounted = True

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=20m", self.place], check=True)

    def end(self):
        if self.mounted:
            subprocess.run(["umount", self.place], check=True)
        self.mounted = False


@contextlib.contextmanager
def small_disk(scratch):
    """None where nothing can be mounted (that takes root)."""
    disk = SmallDisk(os.path.join(scratch, "disk"))
    try:
        disk.begin(8)
    except (OSError, subprocess.CalledProcessError) as e:
        print("skipped: no small disk can be mounted here:", e, flush=True)
        yield None
        return
    try:
        yield disk
    finally:
        disk.end()


def goes_on_when_there_is_room(scratch, path, everything, sizes):
    """On disks of these sizes [kB] a run ends with an error that says so, and resumed it has what the one in `scratch`/wanted has."""
    wanted = everything(os.path.join(scratch, "wanted"))
    with small_disk(scratch) as disk:
        for size in sizes if disk else ():
            disk.begin(size)
            full = run(path, disk.out)
            assert full.returncode == 1 and "No space left on device" in full.stderr, (size, full.returncode, full.stderr)
            disk.grow()
            again = run(path, disk.out, "--resume")
            assert again.returncode == 0, (size, full.stderr, again.stderr)
            wrong = differing(wanted, everything(disk.out))
            assert not wrong, (size, full.stderr, wrong)


def a_full_disk_costs_nothing(scratch):
    """However small the disk, the run ends with an error that says so, and what it left goes on when there is room."""
    path = write_input(scratch)
    done = run(path, os.path.join(scratch, "wanted"))
    assert done.returncode == 0, done.stderr
    # From the first files to the last rows: everything that is written is the one that finds no room at one of these.
    goes_on_when_there_is_room(scratch, path, contents, (8, 24, 40, 56, 72, 104, 152, 200, 240, 264, 300, 340))


def a_limit_of_file_sizes_costs_nothing(scratch):
    """As on full disks, and nothing is killed by the signal that goes with `ulimit -f`."""
    path = write_input(scratch)
    assert run(path, os.path.join(scratch, "wanted")).returncode == 0
    wanted = contents(os.path.join(scratch, "wanted"))
    for kilobytes in (1, 4, 16, 32, 48, 64, 72, 96, 128, 160):
        out = os.path.join(scratch, f"out{kilobytes}")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes, resource.RLIM_INFINITY))
        full = subprocess.run([UPLIFT, "run", path, "--set", "output.directory=" + out], capture_output=True, text=True, timeout=120, preexec_fn=limit)
        assert full.returncode == 1 and "File too large" in full.stderr, (kilobytes, full.returncode, full.stderr)
        again = run(path, out, "--resume")
        assert again.returncode == 0, (kilobytes, full.stderr, again.stderr)
        wrong = differing(wanted, contents(out))
        assert not wrong, (kilobytes, full.stderr, wrong)


def replicas_on_a_full_disk_go_on(scratch):
    """The same with replicas that exchange: the exchanges have a file of their own."""
    path = write_input(scratch, "  - {name: rex, time: 2 ps, exchange: {from: 300 K, to: 600 K, count: 3, every: 0.1 ps}}\n")
    everything = lambda out: {k: v for r in ("replica-001", "replica-002", "replica-003") for k, v in tables(os.path.join(out, r), r).items()} | tables(out, "")
    done = run(path, os.path.join(scratch, "wanted"))
    assert done.returncode == 0, done.stderr
    wanted = everything(os.path.join(scratch, "wanted"))
    assert any(k.startswith("exchange.h5/stages/rex/accepted") for k in wanted), wanted.keys()
    info = lambda *name: subprocess.run([UPLIFT, "info", os.path.join(scratch, "wanted", *name)], capture_output=True, text=True, timeout=60).stdout
    tried, accepted = (int(np.sum(wanted["exchange.h5/stages/rex/accepted"][:, 0] >= limit)) for limit in (0, 1))
    assert f"300 K and 424.264 K: {accepted} of {tried} accepted" in info("exchange.h5"), info("exchange.h5")
    assert "run of 3 replicas" in info() and "step 1000 (2 ps), stage 1, rex" in info(), info()
    assert "trajectory.h5md" in info("replica-002") and "step 1000 (2 ps)" in info("replica-002"), info("replica-002")
    goes_on_when_there_is_room(scratch, path, everything, (10, 60, 300, 600, 900))


def damage(path):
    with open(path, "r+b") as f:
        f.seek(200)
        f.write(b"damage")


def a_damaged_checkpoint_is_spoken_of(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 40 ps}\n"), os.path.join(scratch, "out")
    newest, previous = os.path.join(out, "checkpoint.upc"), os.path.join(out, "checkpoint.prev.upc")
    assert run(path, out, "--quiet", "--set", "stages.go.time=1 ps").returncode == 0

    def info(name="", status=0):
        done = subprocess.run([UPLIFT, "info", os.path.join(out, name)], capture_output=True, text=True, timeout=60)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr

    damage(newest)
    said = info()
    assert "checkpoint    checkpoint.upc: the checkpoint is damaged (its checksum does not fit); the one before it: step " in said and "trajectory.h5md" in said, said
    assert "use the one before it" in info("checkpoint.upc", 2)
    os.rename(previous, previous + ".away")
    said = info()
    assert "(its checksum does not fit); there is no other" in said and "trajectory.h5md" in said, said
    said = info("checkpoint.upc", 2)
    assert "there is none before it" in said and "prev" not in said, said
    os.rename(previous + ".away", previous)
    done = run(path, out, "--resume", "--max-time", "0.2s")
    assert done.returncode in (0, 3) and "checksum does not fit" in done.stdout and "The one before it is used" in done.stdout, (done.returncode, done.stdout, done.stderr)
    damage(newest)
    damage(previous)
    done = run(path, out, "--resume")
    assert done.returncode == 2 and "Neither of the two can be used" in done.stderr, (done.returncode, done.stderr)


def a_checkpoint_that_is_whole_is_not_given_up(scratch):
    """One that this version cannot read, or this user: there may be others that can."""
    path, out = write_input(scratch, "  - {name: go, time: 40 ps}\n"), os.path.join(scratch, "out")
    newest = os.path.join(out, "checkpoint.upc")
    assert run(path, out, "--quiet", "--set", "stages.go.time=1 ps").returncode == 0
    with open(newest, "r+b") as f:
        f.seek(8)
        f.write(b"\x63")
    before = {name: open(os.path.join(out, name), "rb").read() for name in ("checkpoint.upc", "checkpoint.prev.upc", "trajectory.h5md")}
    for replicas in ("1", "2"):
        if replicas == "2":
            exchange = write_input(scratch, "  - {name: rex, time: 1 ps, exchange: {from: 300 K, to: 400 K, count: 2, every: 0.1 ps}}\n")
            assert run(exchange, out + "2", "--quiet").returncode == 0
            os.replace(newest, os.path.join(out + "2", "replica-001", "checkpoint.upc"))
            path, out, newest = exchange, out + "2", os.path.join(out + "2", "replica-001", "checkpoint.upc")
            before = {"replica-001/" + name: open(os.path.join(out, "replica-001", name), "rb").read() for name in before}
        done = run(path, out, "--resume")
        assert done.returncode == 2 and "format 99" in done.stderr and "continue with the version" in done.stderr, (done.returncode, done.stdout, done.stderr)
        assert {name: open(os.path.join(out, name), "rb").read() for name in before} == before


def a_damaged_replica_does_not_stop_the_others(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 1 ps}\n"), os.path.join(scratch, "out")
    assert run(path, out, "--quiet", "--set", "compute.replicas=3").returncode == 0
    damage(os.path.join(out, "replica-002", "checkpoint.upc"))
    damage(os.path.join(out, "replica-002", "checkpoint.prev.upc"))
    done = run(path, out, "--resume", "--set", "compute.replicas=3", "--set", "stages.go.time=2 ps")
    assert done.returncode == 1 and "replica 2 (" in done.stderr and "Neither of the two can be used" in done.stderr and "replica 1 (" not in done.stderr, (done.returncode, done.stderr)
    for name, step in (("replica-001", 1000), ("replica-002", 500), ("replica-003", 1000)):
        with h5py.File(os.path.join(out, name, "energies.h5")) as f:
            assert f["step"][-1] == step, (name, f["step"][-1])


def finished_stages_stay_as_they_are(scratch):
    path, out = write_input(scratch), os.path.join(scratch, "out")
    assert run(path, out, "--quiet").returncode == 0
    unchanged = run(path, out, "--resume", "--set", "output.checkpoint.every=1 min")  # of shorter ones there is a warning
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
    # One that has lost its end, as it was copied to a full disk, say.
    trajectory = os.path.join(out, "trajectory.h5md")
    os.truncate(trajectory, 5000)
    done = run(path, out, "--resume", "--set", "stages.go.time=4 ps")
    assert done.returncode == 1 and "truncated file" in done.stderr and "If it is damaged, put a copy in its place or move it away: --resume goes on" in done.stderr, done.stderr
    os.truncate(trajectory, 0)
    done = run(path, out, "--resume", "--set", "stages.go.time=4 ps")
    assert done.returncode == 0 and "trajectory.h5md ended at step 1500" in done.stdout and "it now is empty" in done.stdout, (done.stdout, done.stderr)
    with h5py.File(trajectory) as f:
        assert list(f["particles/trajectory/position/step"][:]) == list(range(1500, 2001, 10)), f["particles/trajectory/position/step"][:]


def a_lost_amd_log_is_spoken_of(scratch):
    path, out = write_input(scratch), os.path.join(scratch, "out")
    amd_log, told = os.path.join(out, "amd.log"), "amd.log is not there any more"
    rows = lambda: sum("#" not in line for line in open(amd_log))
    assert told not in run(path, out, "--set", "stages.boost.time=0.5 ps", "--set", "stages.go.time=0.5 ps").stdout and rows() == 25
    assert told not in run(path, out, "--resume", "--set", "stages.boost.time=0.5 ps", "--set", "stages.go.time=0.6 ps").stdout and rows() == 25
    os.remove(amd_log)
    done = run(path, out, "--resume", "--set", "stages.boost.time=0.5 ps", "--set", "stages.go.time=0.7 ps")
    assert done.returncode == 0 and done.stdout.count(told) == 1 and rows() == 0, done.stdout


def stages_that_are_lost_are_spoken_of(scratch):
    path, out = write_input(scratch), os.path.join(scratch, "out")
    stages = os.path.join(out, "stages.json")
    assert run(path, out, "--quiet").returncode == 0
    whole = open(stages).read()
    for text in ("", whole[:100], '{"stages": [5, {"name": 5}]}'):
        with open(stages, "w") as f:
            f.write(text)
        done = run(path, out, "--resume", "--set", "stages.go.time=1.1 ps")
        assert done.returncode == 0 and "stages.json says nothing of warm, boost (was it lost" in done.stdout, done
    with open(stages, "w") as f:
        f.write(whole)
    done = run(path, out, "--resume", "--set", "stages.go.time=1.2 ps")
    assert done.returncode == 0 and "stages.json" not in done.stdout and '"boost"' in open(stages).read(), done


def a_damaged_list_of_replicas_says_what_to_do(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 1 ps}\n"), os.path.join(scratch, "out")
    assert run(path, out, "--quiet", "--set", "compute.replicas=2").returncode == 0
    os.truncate(os.path.join(out, "replicas.json"), 0)
    done = run(path, out, "--resume", "--set", "compute.replicas=2")
    assert done.returncode == 2 and "remove it, and uplift run --resume writes it anew" in done.stderr, done
    os.remove(os.path.join(out, "replicas.json"))
    assert run(path, out, "--resume", "--set", "compute.replicas=2", "--set", "stages.go.time=2 ps").returncode == 0
    with h5py.File(os.path.join(out, "replica-002", "energies.h5")) as f:
        assert f["step"][-1] == 1000 and len(f["step"]) == 101


def a_run_killed_before_its_first_checkpoint_has_every_row(scratch):
    """The first frame is on the disk by then, and is not made again."""
    stages = "  - {{name: boost, time: {}, bias: {{method: amd, boost: dihedral, parameters: {{dihedral: {{threshold: 60 kJ/mol, alpha: 20 kJ/mol}}}}}}}}\n"
    path, out, wanted = write_input(scratch, stages.format("1 us")), os.path.join(scratch, "out"), os.path.join(scratch, "wanted")
    rarely = ("--set", "output.checkpoint.every=15 min", "--set", "output.trajectory.every=40 ps")
    job = subprocess.Popen([UPLIFT, "run", path, "--quiet", "--set", "output.directory=" + out, *rarely])
    until = time.time() + 100
    while time.time() < until and not os.path.exists(os.path.join(out, "amd.log")):
        time.sleep(0.01)
    time.sleep(1)
    job.kill()
    job.wait()
    path = write_input(scratch, stages.format("1 ps"))
    assert run(path, out, "--quiet", "--resume").returncode == 0 and run(path, wanted, "--quiet").returncode == 0
    rows = lambda folder: [line.split()[1:] for line in contents(folder)["amd.log"].splitlines()]  # in front the stride, which was another
    assert rows(out) == rows(wanted), (rows(out)[:5], rows(wanted)[:5])


def files_keep_no_more_of_the_disk_than_they_need(scratch):
    path, out = write_input(scratch), os.path.join(scratch, "out")
    assert run(path, out, "--quiet").returncode == 0
    for name in ("trajectory.h5md", "energies.h5"):
        of = os.stat(os.path.join(out, name))
        assert 512 * of.st_blocks <= of.st_size + 16384, (name, of.st_size, 512 * of.st_blocks)


def write_minimisation(folder):
    path = os.path.join(folder, "down.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-tip3p/system.prmtop.gz, coordinates: {INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz}}
forces: {{cutoff: 0.9 nm}}
stages:
  - {{name: down, minimize: {{max_steps: 400, force_tolerance: 1e-3 kJ/mol/nm}}}}
  - {{name: go, time: 20 fs}}
output: {{trajectory: {{every: 10 fs, velocities: true}}, energies: {{every: 10 fs}}, checkpoint: {{every: 0.05 s}}, report: false}}
""")
    return path


def steps_of_minimisation(text):
    return [int(n) for n in re.findall(r"after (\d+) steps of a minimisation", text)]


def a_minimisation_goes_on_where_it_was_stopped(scratch):
    path, out = write_minimisation(scratch), os.path.join(scratch, "out")
    start = time.time()
    assert run(path, os.path.join(scratch, "wanted"), "--quiet", "--threads", "1").returncode == 0
    whole, stops = time.time() - start, []
    for n in range(40):  # each may take longer than the one before, on machines that are busy
        done = run(path, out, f"--max-time={whole * (0.3 + 0.1 * n):.2f}s", "--resume", "--threads", str(1 + n % 3))
        if done.returncode == 0:
            break
        assert done.returncode == 3, (done.returncode, done.stdout)
        stops += steps_of_minimisation(done.stdout)
    assert done.returncode == 0 and any(0 < n < 400 for n in stops) and stops == sorted(stops), stops
    wrong = differing(tables(os.path.join(scratch, "wanted"), ""), tables(out, ""))
    assert not wrong, wrong


def a_minimisation_that_was_killed_goes_on_from_its_checkpoint(scratch):
    path, out = write_minimisation(scratch), os.path.join(scratch, "out")
    checkpoint = os.path.join(out, "checkpoint.prev.upc")
    job = subprocess.Popen([UPLIFT, "run", path, "--quiet", "--set", "output.directory=" + out, "--set", "stages.down.minimize.max_steps=100000"])
    until = time.time() + 100
    while time.time() < until and not (os.path.exists(checkpoint) and os.path.getsize(checkpoint) > 400000):  # more than the state: with what it remembers
        time.sleep(0.01)
    job.kill()
    job.wait()
    info = subprocess.run([UPLIFT, "info", out], capture_output=True, text=True).stdout
    assert re.search(r"  checkpoint +step 0 \(0 ps\), stage 1, down, after \d+ steps of its minimisation", info), info
    done = run(path, out, "--resume", "--max-time", "0.01s")
    assert re.search(r"after \d+ steps of its minimisation", done.stdout) and steps_of_minimisation(done.stdout)[0] > 0, done.stdout
    other = run(path, out, "--resume", "--max-time", "0.01s", "--set", "forces.cutoff=0.85 nm")
    assert "begins anew from the positions that it has reached" in other.stdout and "forces.cutoff: 0.85 nm" in other.stdout, other.stdout


def nobody_needs_to_read_the_progress(scratch):
    path, out = write_input(scratch, "  - {name: go, time: 4 ps}\n"), os.path.join(scratch, "out")
    job = subprocess.Popen([UPLIFT, "run", path, "--set", "output.directory=" + out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    job.stdout.readline()
    job.stdout.close()
    assert job.wait(timeout=120) == 0, job.returncode


def edited(text, section, change):
    """A prmtop with the first number of a section changed."""
    found = re.search(rf"%FLAG {section} *\n%FORMAT[^\n]*\n *(\S+)", text)
    return text[:found.start(1)] + f"{change(float(found[1])):.8E}".rjust(len(found[1])) + text[found.end(1):]


def files_that_have_changed_are_refused_or_spoken_of(scratch):
    out, source = os.path.join(scratch, "out"), f"{INPUTS}/alanine-dipeptide-vacuum/system"
    texts = {}
    for name in ("prmtop", "inpcrd"):
        with open(f"{source}.{name}") as f:
            texts[name] = f.read()

    def put(name, text):
        with open(os.path.join(scratch, "system." + name), "w") as f:
            f.write(text)

    put("prmtop", texts["prmtop"])
    put("inpcrd", texts["inpcrd"])
    path = write_input(scratch, "  - {name: free, time: 0.1 ps}\n  - {name: held, time: 0.1 ps, restraints: {positions: all, k: 0.01 kJ/mol/nm^2}}\n  - {name: go, time: 0.1 ps}\n")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(source, "system"))
    stop_in = lambda stage: run(path, out, "--quiet", "--resume", "--set", f"stages.{stage}.time=1 us", "--max-time", "0.5 s").returncode
    # Every parameter of the force field.
    assert stop_in("free") == 3, "free"
    for section, kind in {"ANGLE_FORCE_CONSTANT": "angles", "DIHEDRAL_PHASE": "dihedrals", "LENNARD_JONES_ACOEF": "Lennard-Jones parameters", "BOND_EQUIL_VALUE": "bonds"}.items():
        put("prmtop", edited(texts["prmtop"], section, lambda x: 1.01 * x + 0.01))
        done = run(path, out, "--resume")
        assert done.returncode == 2 and "system.prmtop: its " in done.stderr and kind in done.stderr and "are not those that the run in" in done.stderr, (section, done.stderr)
    put("prmtop", texts["prmtop"])
    # Positions that a stage yet to come restrains atoms to, then those of the stage in hand.
    moved = texts["inpcrd"].splitlines(keepends=True)
    moved[2] = f"{float(moved[2][:12]) + 0.5:12.7f}" + moved[2][12:]
    for stage in ("free", "held"):
        put("inpcrd", "".join(moved))
        done = run(path, out, "--resume")
        assert done.returncode == 2 and "system.inpcrd: its positions are not what the run in" in done.stderr and "stage held restrains atoms" in done.stderr, done.stderr
        put("inpcrd", texts["inpcrd"])
        if stage == "free":
            assert run(path, out, "--quiet", "--resume", "--set", "stages.free.time=0.1 ps", "--set", "stages.held.time=1 us", "--max-time", "2 s").returncode == 3
    # Afterwards nothing needs them: a warning.
    assert run(path, out, "--quiet", "--resume", "--set", "stages.go.time=1 us", "--max-time", "2 s").returncode == 3
    put("inpcrd", "".join(moved))
    done = run(path, out, "--resume")
    assert done.returncode == 0 and "its positions are not what the run began with" in done.stdout, (done.returncode, done.stdout, done.stderr)


def another_box_is_spoken_of(scratch):
    path, out = write_minimisation(scratch), os.path.join(scratch, "out")
    first = ("--set", "stages.down.minimize.max_steps=2")
    assert run(path, out, "--quiet", *first).returncode == 0
    done = run(path, out, "--resume", *first, "--set", "stages.go.time=40 fs", "--set", "system.box=[5 nm, 5 nm, 5 nm]")
    assert done.returncode == 0 and "system.box is not what the run began with; it goes on with" in done.stdout, (done.stdout, done.stderr)
    again = run(path, out, "--resume", *first, "--set", "stages.go.time=60 fs", "--set", "system.box=[5 nm, 5 nm, 5 nm]")
    assert again.returncode == 0 and "began with" not in again.stdout, again.stdout


def averages_are_those_of_the_whole_stage(scratch):
    """A stage that runs in parts ends with the averages, and the verdict on its boost, that it has in one go."""
    stages = STAGES[: STAGES.index("  - {name: go")].replace("parameters: {from: warm}", "parameters: {dihedral: {threshold: 60 kJ/mol, alpha: 8 kJ/mol}}")
    path = write_input(scratch, stages)
    ends = []
    for name, parts in (("whole", ["1 ps"]), ("parts", ["0.4 ps", "0.96 ps", "1 ps"])):
        for part in parts:
            done = run(path, os.path.join(scratch, name), "--resume", "--set", "stages.boost.time=" + part)
            assert done.returncode == 0, done.stderr
        with open(os.path.join(scratch, name, "run.log")) as f:
            log = [line[20:].strip() for line in f]
        at = max(k for k, line in enumerate(log) if line.startswith("averages of"))
        ends.append(log[at : at + next(k for k, line in enumerate(log[at:]) if line.startswith("phase "))])
    assert ends[0] == ends[1] and "averages of 50 rows" in ends[0][0], ends


def threads_that_cannot_start_are_spoken_of(scratch):
    """With stacks of 1 GB there is room for two of them; limits of processes do the same to any user but root."""
    path = write_input(scratch, "  - {name: go, time: 1 ps}\n")

    def limits():
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 30, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_AS, (5 << 29, resource.RLIM_INFINITY))

    for more in ("compute.threads=6", "compute.replicas=6"):
        out = os.path.join(scratch, more)
        done = subprocess.run([UPLIFT, "run", path, "--set", "output.directory=" + out, "--set", more], capture_output=True, text=True, timeout=120, preexec_fn=limits)
        assert done.returncode == 1 and "no more threads can be started (Resource temporarily unavailable): see ulimit -u" in done.stderr, (more, done)
        done = run(path, out, "--resume", "--set", more)
        assert done.returncode == 0, (more, done)


if __name__ == "__main__":
    run_all(a_limit_of_file_sizes_costs_nothing, files_that_have_changed_are_refused_or_spoken_of, another_box_is_spoken_of, a_full_disk_costs_nothing, a_run_killed_before_its_first_checkpoint_has_every_row, replicas_on_a_full_disk_go_on, a_damaged_checkpoint_is_spoken_of, a_checkpoint_that_is_whole_is_not_given_up, a_damaged_replica_does_not_stop_the_others, finished_stages_stay_as_they_are, files_keep_no_more_of_the_disk_than_they_need, a_minimisation_goes_on_where_it_was_stopped, a_minimisation_that_was_killed_goes_on_from_its_checkpoint, nobody_needs_to_read_the_progress, files_that_do_not_belong_to_the_checkpoint_are_spoken_of, averages_are_those_of_the_whole_stage, threads_that_cannot_start_are_spoken_of, stages_that_are_lost_are_spoken_of, a_lost_amd_log_is_spoken_of, a_damaged_list_of_replicas_says_what_to_do)
