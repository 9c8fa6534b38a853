#!/usr/bin/python3
"""What commands write, and where: over no input and no file of a run, and with an error when it does not arrive.

  outputs_test.py UPLIFT
"""
import os
import re
import resource
import shutil
import signal
import subprocess
import time

import checks
from checks import INPUTS, UPLIFT, run_all

SYSTEM = f"{INPUTS}/alanine-dipeptide-vacuum/system"


def uplift(folder, *arguments, **more):
    done = checks.uplift(*arguments, cwd=folder, timeout=120, **more)
    return done.stdout + done.stderr


def write_input(folder, time="20 fs"):
    with open(os.path.join(folder, "x.yaml"), "w") as f:
        f.write(f"""version: 1
system: {{topology: {SYSTEM}.prmtop, coordinates: {SYSTEM}.inpcrd}}
forces: {{nonbonded: no-cutoff}}
dynamics: {{timestep: 2 fs, seed: 5}}
stages: [{{name: go, time: {time}}}]
output: {{trajectory: {{every: 10 fs}}, energies: {{every: 10 fs}}, report: false}}
compute: {{threads: 1}}
""")


def contents(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as f:
                found[os.path.relpath(os.path.join(where, name), folder)] = f.read()
    return found


def no_command_writes_over_inputs_and_runs(folder):
    write_input(folder)
    uplift(folder, "run", "x.yaml", "--quiet")
    with open(os.path.join(folder, "d.csv"), "w") as f:
        f.write("1\n2\n3\n")
    before = contents(folder)
    of_run, input_too = "is a file of the run in this folder", "is an input, too"
    for arguments, words in {
        ("reweight", "x", "--cv", "d=distance(0,1)", "-o", "x/energies"): "x/energies.h5: is an input, too; choose another stem with -o",
        ("reweight", "x", "--cv", "d=distance(0,1)", "-o", "x/exchange"): of_run,
        ("reweight", "x", "--cv", "d=column(d.csv,0)", "-o", "d"): "d.csv: is an input, too",
        ("reweight", "x", "--cv", "d=distance(0,1)", "--weights", "x/trajectory.h5md"): "choose another name with --weights",
        ("energy", "x.yaml", "--forces", "x/energies.h5"): of_run,
        ("energy", "x.yaml", "--json", "x.yaml"): input_too,
        ("energy", "x.yaml", "--json", "x/stages.json"): of_run,
        ("energy", "x.yaml", "--json", "a", "--forces", "./a"): "is where --json goes",
        ("slurm", "x.yaml", "-o", "x.yaml"): input_too,
        ("slurm", "x.yaml", "-o", "x/run.log"): of_run,
        ("benchmark", "x.yaml", "--json", "x.yaml"): input_too,
        ("convert", "x/trajectory.h5md", "x/topology.pdb", "--force"): of_run,
        ("convert", "x/trajectory.h5md", "x.xtc.gz"): "x.xtc.gz: uplift does not compress what it writes; write x.xtc",
        ("convert", "x/energies.h5", "e.csv.gz"): "e.csv.gz: uplift does not compress",
        ("convert", SYSTEM + ".prmtop", "s.prmtop.gz"): "s.prmtop.gz: uplift does not compress",
        ("energy", "x.yaml", "--json", "e.json.gz"): "e.json.gz: uplift does not compress",
        ("energy", "x.yaml", "--json", "-"): "write /dev/stdout",
        ("slurm", "x.yaml", "-o", "-"): "write /dev/stdout",
        ("reweight", "x", "--cv", "d=distance(0,1)", "-o", "no/pmf"): "no/pmf.h5: there is no folder no; make it",
        ("energy", "x.yaml", "--forces", "no/f.h5"): "no/f.h5: there is no folder no",
        ("convert", "x/trajectory.h5md", "x.yaml/x.xtc"): "x.yaml/x.xtc: there is no folder x.yaml",
        ("convert", SYSTEM + ".prmtop", "no/s.prmtop"): "no/s.prmtop: there is no folder no",
    }.items():
        said = uplift(folder, *arguments, expect=2)
        assert words in said, (arguments, said)
        assert contents(folder) == before, arguments


def no_run_writes_over_files_of_others(folder):
    """Only over what a run has left, which is known by its log."""
    write_input(folder)
    replicas = ("--set", "compute.replicas=2")
    for name in ("run.log", "topology.pdb", "stages.json", "performance.json", "report.html", "amd.log", "pmf.csv"):
        with open(os.path.join(folder, name), "w") as f:
            f.write("\n2026-01-02 03:04:05  theirs\n")
        before = contents(folder)
        written = name not in ("report.html", "amd.log", "pmf.csv")  # this run makes none
        for more in ((), ("--resume",), replicas) if written else ():
            if more == replicas and name in ("topology.pdb", "stages.json"):
                continue
            said = uplift(folder, "run", "x.yaml", "--quiet", "--set", "output.directory=.", *more, expect=2)
            assert "files that the run would write over" in said and f"({name})" in said and "--set output.directory=NAME" in said, said
            assert contents(folder) == before, name
        if not written:
            uplift(folder, "run", "x.yaml", "--quiet", "--set", "output.directory=.")
            for made in contents(folder).keys() - before.keys():
                os.remove(os.path.join(folder, made))
            assert contents(folder) == before, name
        os.remove(os.path.join(folder, name))
    with open(os.path.join(folder, "topology.pdb"), "w") as f:
        f.write("theirs\n")
    said = uplift(folder, "run", "x.yaml", "--quiet", "--set", "output.directory=.", *replicas)  # theirs are in folders of their own
    os.makedirs(os.path.join(folder, "x"))
    # What a run leaves that died before its first frame: with a header, with an error, with half a line, with nothing yet.
    for log in ("2026-01-02 03:04:05  uplift 0.1.0: untitled\n", "2026-01-02 03:04:05  error: none\n", "2026-01-02 03", ""):
        for name, text in (("run.log", log), ("topology.pdb", "ours\n"), ("performance.json", "{}")):
            with open(os.path.join(folder, "x", name), "w") as f:
                f.write(text)
        uplift(folder, "run", "x.yaml", "--quiet")
        for name in os.listdir(os.path.join(folder, "x")):
            os.remove(os.path.join(folder, "x", name))


def a_link_to_a_folder_that_is_gone_is_named(folder):
    """As where scratch has been cleared."""
    write_input(folder)
    os.symlink("scratch", os.path.join(folder, "x"))
    said = uplift(folder, "run", "x.yaml", expect=2)
    assert "x is a link to scratch, which is not there" in said, said
    os.mkdir(os.path.join(folder, "scratch"))
    uplift(folder, "run", "x.yaml", "--quiet")
    assert os.path.exists(os.path.join(folder, "scratch", "checkpoint.upc"))


def quiet_runs_warn_on_stderr(folder):
    write_input(folder)
    with open(os.path.join(folder, "x.yaml"), "a") as f:
        f.write('free_energy: [{name: pmf, variables: ["phi=phi(2)"], stages: [go]}]\n')
    for more in ((), ("--set", "compute.replicas=2")):
        done = subprocess.run([UPLIFT, "run", "x.yaml", "--quiet", "--set", f"output.directory=quiet{len(more)}", *more], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout == "" and done.stderr.count("warning: no free energy pmf: ") == 1, done
        with open(os.path.join(folder, f"quiet{len(more)}", "run.log")) as f:
            assert "warning: no free energy pmf: " in f.read()
    done = subprocess.run([UPLIFT, "run", "x.yaml", "--set", "output.directory=loud"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and "warning: no free energy pmf: " in done.stdout, done


def what_finds_no_room_leaves_nothing(folder):
    write_input(folder, "1 ps")
    uplift(folder, "run", "x.yaml", "--quiet")
    uplift(folder, "energy", "x.yaml", "--forces", "f.h5", "--json", "e.json")
    before = contents(folder)
    for arguments in (("reweight", "x", "--cv", "d=distance(0,1)", "--force", "--cutoff", "1", "-o", "pmf"), ("convert", "x/trajectory.h5md", "x.dcd"), ("convert", "x/trajectory.h5md", "f.h5", "-f"),
                      ("convert", SYSTEM + ".prmtop", "s.prmtop"), ("energy", "x.yaml", "--forces", "f.h5")):
        said = uplift(folder, *arguments, expect=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY)))
        assert "File too large" in said and ".part" not in said, (arguments, said)
        assert contents(folder) == before, (arguments, contents(folder).keys() ^ before.keys())


def results_that_do_not_arrive_are_an_error(folder):
    if not os.path.exists("/dev/full"):
        print("skipped: there is no /dev/full")
        return
    write_input(folder)
    for arguments in (("energy", "x.yaml"), ("schema",), ("slurm", "x.yaml"), ("info", SYSTEM + ".prmtop"), ("validate", "x.yaml"), ("--help",), ("--version",)):
        with open("/dev/full", "w") as full:
            done = subprocess.run([UPLIFT, *arguments], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "stdout cannot be written to (No space left on device)" in done.stderr, (arguments, done)
    with open("/dev/full", "w") as full:  # a run has its log
        assert subprocess.run([UPLIFT, "run", "x.yaml"], cwd=folder, stdout=full, stderr=subprocess.PIPE).returncode == 0


def closed_streams_stay_out_of_files(folder):
    write_input(folder)
    done = subprocess.run(f"{UPLIFT} run x.yaml <&- >&- 2>&-", cwd=folder, shell=True)
    assert done.returncode == 0
    with open(os.path.join(folder, "x", "run.log")) as f:
        lines = f.read().splitlines()
    # Nothing but what the log writes itself: a time before every line.
    assert len(lines) > 10 and not [line for line in lines if not re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line)], lines
    assert uplift(folder, "run", "x.yaml", "--resume").count("this stage is finished") == 1


def stop(folder, number, *before, times=2):
    job = subprocess.Popen([*before, UPLIFT, "run", "x.yaml", "--resume", "--set", "stages.go.time=1 ms"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in job.stdout:
        if line.startswith("stage go"):
            break
    time.sleep(0.2)
    for _ in range(times):  # a shell and the kernel both tell of a terminal that has gone
        job.send_signal(number)
        time.sleep(0.0005)
    try:
        job.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        job.terminate()
        job.communicate(timeout=60)
        return "went on", job.returncode
    return "stopped", job.returncode


def a_closed_terminal_stops_with_a_checkpoint(folder):
    write_input(folder)
    assert stop(folder, signal.SIGHUP) == ("stopped", 3)
    with open(os.path.join(folder, "x", "run.log")) as f:
        assert f"stopped by signal {int(signal.SIGHUP)}; the checkpoint is written" in f.read()
    assert stop(folder, signal.SIGHUP, "nohup") == ("went on", 3)


def one_signal_may_be_sent_twice(folder):
    """timeout(1) sends it to its child and then to the group, and that is no second request."""
    write_input(folder)
    for _ in range(3):
        assert stop(folder, signal.SIGTERM, times=20) == ("stopped", 3)


def a_run_that_comes_and_goes_meanwhile_stays(folder):
    """Between the look at a folder and the lock on it another job may begin and end there."""
    for replicas in ("1", "2"):
        more = ("--set", "compute.replicas=" + replicas)
        write_input(folder)
        uplift(folder, "run", "x.yaml", "--quiet", "--set", "output.directory=done" + replicas, *more)
        out, log = os.path.join(folder, "out" + replicas), os.path.join(folder, "log" + replicas)
        os.mkdir(out)
        os.mkfifo(os.path.join(out, "run.log"))  # whoever looks whose log it is waits here
        os.link(os.path.join(out, "run.log"), log)
        job = subprocess.Popen([UPLIFT, "run", "x.yaml", "--set", "output.directory=" + out, *more], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with open(log, "w") as f:
            os.remove(os.path.join(out, "run.log"))
            shutil.copytree(os.path.join(folder, "done" + replicas), out, dirs_exist_ok=True)
            before = contents(out)
            f.write("2026-01-01 00:00:00  uplift\n")
        _, said = job.communicate(timeout=60)
        assert job.returncode == 2 and "already holds a run" in said, (job.returncode, said)
        assert contents(out) == before


def limits_of_batch_systems_stop_with_a_checkpoint(folder):
    """SIGUSR2 comes before the end from LSF and Grid Engine, SIGXCPU each second from a limit of CPU time."""
    write_input(folder)
    assert stop(folder, signal.SIGUSR2) == ("stopped", 3)
    assert stop(folder, signal.SIGXCPU, times=20) == ("stopped", 3)
    done = subprocess.run([UPLIFT, "run", "x.yaml", "--resume", "--set", "stages.go.time=1 ms"], cwd=folder, capture_output=True, text=True, timeout=60, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 20)))
    assert done.returncode == 3 and f"stopped by signal {int(signal.SIGXCPU)}; the checkpoint is written" in done.stdout, done


if __name__ == "__main__":
    run_all(no_command_writes_over_inputs_and_runs, no_run_writes_over_files_of_others, quiet_runs_warn_on_stderr, what_finds_no_room_leaves_nothing, results_that_do_not_arrive_are_an_error, closed_streams_stay_out_of_files, a_closed_terminal_stops_with_a_checkpoint,
            one_signal_may_be_sent_twice, limits_of_batch_systems_stop_with_a_checkpoint, a_link_to_a_folder_that_is_gone_is_named, a_run_that_comes_and_goes_meanwhile_stays)
