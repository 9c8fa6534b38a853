#!/usr/bin/python3
"""Job scripts by `uplift slurm` under a real Slurm, which this test starts and ends: preempted, signalled, requeued, they finish, and what they leave has
the bits of an undisturbed run.

  slurm_test.py UPLIFT      exit status 77 (skip) when Slurm, munge or h5py are missing, or without root
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import slurm as slurm_daemons
from checks import INPUTS, UPLIFT, uplift
from hdf5 import h5py, np


def write_input(folder, name, steps, extra=""):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-tip3p/system.prmtop.gz, coordinates: {INPUTS}/alanine-dipeptide-tip3p/system.inpcrd.gz}}
forces: {{nonbonded: pme, cutoff: 0.8 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 8}}
stages: [{{name: go, time: {0.002 * steps:.12g} ps}}]
output: {{trajectory: {{every: 0.1 ps, velocities: true}}, energies: {{every: 0.02 ps}}, report: false}}
{extra}
""")
    return path


def contents(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".h5", ".h5md")):
                with h5py.File(os.path.join(where, name)) as f:
                    f.visititems(lambda key, item: found.__setitem__(os.path.relpath(os.path.join(where, name), folder) + ":" + key, item[()]) if isinstance(item, h5py.Dataset) and not key.startswith("parameters/") else None)
    return found


def same(found, wanted):
    assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
    for key in wanted:
        assert np.array_equal(found[key], wanted[key]), key + " differs"


def text(path):
    if not os.path.exists(path):
        return ""
    with open(path, errors="replace") as f:
        return f.read()


def has_mpi():
    return "libmpi" in subprocess.run(["ldd", UPLIFT], capture_output=True, text=True).stdout


def the_end_of_a_job_is_known(scratch):
    """Without Slurm: the variable alone."""
    path = write_input(scratch, "ends", 1000000)
    began = time.time()
    done = uplift("run", path, "--threads", "1", expect=3, env=dict(os.environ, SLURM_JOB_END_TIME=str(int(began + 14))))
    assert "the end of its Slurm job" in done.stdout and "Slurm job ends in" in done.stdout, done.stdout
    assert time.time() - began < 13, time.time() - began


def scripts_are_refused_that_cannot_work(scratch):
    path = write_input(scratch, "single", 10)
    for options, what in ((["--array"], "compute.replicas is 1"), (["--time", "soon"], "--time soon"), (["--partition", "a b"], "blanks"), (["--job-name", "a/b"], "--job-name a/b"), (["--at-a-time", "3"], "--array")):
        assert what in uplift("slurm", path, *options, expect=2).stderr, what
    several = write_input(scratch, "several", 10, "compute: {replicas: 3}")
    script = uplift("slurm", several, "--array", "--at-a-time", "2", "--cpus", "2", "--time", "26h", "--account", "me", "--set", "title=it's").stdout
    for line in ("#SBATCH --array=1-3%2", "#SBATCH --time=1-02:00:00", "#SBATCH --account=me", "#SBATCH --cpus-per-task=2", "--set 'title=it'\\''s'"):
        assert line in script, (line, script)
    for given, wanted in (("90min", "0-01:30:00"), ("30", "0-00:30:00"), ("45:30", "0-00:46:00"), ("12:00:00", "0-12:00:00"), ("1-12", "1-12:00:00"), ("2-01:30", "2-01:30:00"), ("1-00:00:30", "1-00:01:00")):
        assert f"#SBATCH --time={wanted}\n" in uplift("slurm", path, "--time", given).stdout, given
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    together = write_input(scratch, "together", 10, "compute: {replicas: 3, ranks_per_replica: 4}")
    for options, wanted in ((["--gpus", "4", "--nodes", "2"], "--ntasks-per-node=4\n"), (["--nodes", "2"], "--ntasks-per-node=2\n"), (["--gpus", "4", "--array"], "--ntasks-per-node=4\n"), (["--mpi", "pmix"], "srun --mpi=pmix ")):
        script = uplift("slurm", together, *options).stdout
        assert wanted in script, (options, script)
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for options in (["--gpus", "3"], ["--nodes", "3"]):
        assert "compute.ranks_per_replica" in uplift("slurm", together, *options, expect=2).stderr, options


def scripts_fit_the_system(scratch):
    """What ranks cannot share gets no ranks, and what is left unused is said."""
    alone = write_input(scratch, "alone", 10)
    with open(alone) as f:
        text = f.read().replace("alanine-dipeptide-tip3p/system.prmtop.gz", "alanine-dipeptide-vacuum/system.prmtop").replace("alanine-dipeptide-tip3p/system.inpcrd.gz", "alanine-dipeptide-vacuum/system.inpcrd")
    with open(alone, "w") as f:
        f.write(text.replace("{nonbonded: pme, cutoff: 0.8 nm}", "{nonbonded: no-cutoff}"))
    for options in (["--gpus", "2"], ["--nodes", "2"]):
        said = uplift("slurm", alone, *options, expect=2).stderr
        assert "without a cutoff is not shared among ranks" in said and " ".join(options) in said, said
    assert "--ntasks-per-node=1" in uplift("slurm", alone, "--gpus", "1").stdout
    assert "--ntasks-per-node=2" in uplift("slurm", alone, "--gpus", "2", "--set", "compute.replicas=2").stdout
    several = write_input(scratch, "many", 10, "compute: {replicas: 3}")
    done = uplift("slurm", several, "--array", "--gpus", "4")
    assert "--cpus-per-task=8\n" in done.stdout and "--gpus-per-task=1\n" in done.stdout and "one replica, on one GPU and eight CPUs" in done.stderr, done
    device = ["--set", "compute.backend=cuda"]
    assert "asks for no GPU: give --gpus 1" in uplift("slurm", several, *device).stderr
    assert uplift("slurm", several, "--gpus", "1", *device).stderr == ""


def scripts_do_not_believe_a_busy_controller(scratch):
    """With programs of Slurm that only say how they were called: what the job hears of its end, and what it puts back into the queue."""
    programs = os.path.join(scratch, "bin")
    os.mkdir(programs)
    for name, lines in (("squeue", "echo squeue $* >> $CALLS; printf '%s' \"$SQUEUE_SAYS\""), ("srun", "echo end=$SLURM_JOB_END_TIME >> $CALLS; exit ${SRUN_STATUS:-3}"), ("scontrol", "echo scontrol $* >> $CALLS")):
        with open(os.path.join(programs, name), "w") as f:
            f.write(f"#!/bin/bash\n{lines}\n")
        os.chmod(f.name, 0o755)
    calls = os.path.join(scratch, "calls")
    job = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_ON_NODE": "4", "CALLS": calls, "TZ": "UTC", "PATH": programs + os.pathsep + os.environ["PATH"]}
    single, several = write_input(scratch, "single", 10), write_input(scratch, "several", 10, "compute: {replicas: 3}")
    examples = os.path.join(INPUTS, "..", "examples", "slurm")
    scripts = [(uplift("slurm", single).stdout, "7"), (uplift("slurm", several, "--array").stdout, "7_2")]
    scripts += [(text(os.path.join(examples, name)), "7_2" if name == "array.sh" else "7") for name in sorted(os.listdir(examples)) if name.endswith(".sh")]
    assert len(scripts) >= 7, os.listdir(examples)
    for script, number in scripts:
        for says, before, end in (("", {}, ""), ("NONE\n", {}, ""), ("2030-01-01T00:00:00\n", {"SLURM_JOB_END_TIME": "1"}, "1893456000"), ("", {"SLURM_JOB_END_TIME": "1893456000"}, "1893456000")):
            open(calls, "w").close()
            done = subprocess.run(["bash", "-s", "input.yaml"], input=script, text=True, env=job | before | {"SQUEUE_SAYS": says}, capture_output=True, timeout=60)
            assert done.returncode == 0, (done, script)
            # The number of an array alone would put all of its tasks back, those that have finished, too.
            assert text(calls).splitlines() == [f"squeue -h -j {number} -o %e", f"end={end}", f"scontrol requeue {number}"], (says, before, text(calls), script)
        # What was killed, or has failed, goes on, unless it was before there can be a new checkpoint; a wrong input does not.
        for status, seconds, back in (("137", "90000", True), ("139", "0", False), ("1", "90000", True), ("1", "0", False), ("2", "90000", False), ("0", "90000", False)):
            open(calls, "w").close()
            done = subprocess.run(["bash", "-s", "input.yaml"], input=script, text=True, env=job | {"SQUEUE_SAYS": "", "SRUN_STATUS": status, "SECONDS": seconds}, capture_output=True, timeout=60)
            assert ("requeue" in text(calls), done.returncode) == ((True, 0) if back else (False, int(status))), (status, seconds, done, text(calls), script)
    assert "$SECONDS -ge 3600 ]" in uplift("slurm", single, "--set", "output.checkpoint.every=30 min").stdout


def an_end_in_the_past_is_not_believed(scratch):
    path = write_input(scratch, "past", 5)
    done = uplift("run", path, "--threads", "1", env=dict(os.environ, SLURM_JOB_END_TIME=str(int(time.time()) - 3600)))
    assert "SLURM_JOB_END_TIME has passed" in done.stdout, done.stdout


def preempted_and_requeued_until_it_is_done(slurm, scratch):
    # Long enough to be interrupted twice on this machine, whatever else it does: some twelve seconds.
    probe = write_input(scratch, "probe", 1000)
    began = time.time()
    uplift("run", probe, "--quiet", "--threads", "1")
    path = write_input(scratch, "job", int(1000 * min(max(12 / (time.time() - began), 3), 60)))
    uplift("run", path, "--quiet", "--threads", "1", "--set", f"output.directory={scratch}/undisturbed")
    uplift("slurm", path, "--cpus", "1", "--time", "10min", "--set", "output.checkpoint.every=0.5 s", "-o", os.path.join(scratch, "job.sh"))
    job = re.search(r"\d+", slurm.command("sbatch", "--chdir", scratch, os.path.join(scratch, "job.sh"))).group()
    log = os.path.join(scratch, "job", "run.log")
    state = lambda: re.search(r"JobState=(\w+)", slurm.command("scontrol", "show", "job", job)).group(1)
    started = lambda n: text(log).count("  stage go\n") >= n
    slurm.wait(lambda: started(1) and os.path.exists(os.path.join(scratch, "job", "trajectory.h5md")), "the job does not start")
    assert "the Slurm job ends in" in text(log), "no SLURM_JOB_END_TIME?\n" + text(log)
    time.sleep(1)
    # Somebody more important wants all of the machine.
    urgent = os.path.join(scratch, "urgent.sh")
    with open(urgent, "w") as f:
        f.write("#!/bin/bash\nsleep 1\n")
    slurm.command("sbatch", "--partition=urgent", f"--cpus-per-task={slurm.cpus}", "--output=/dev/null", urgent)
    slurm.wait(lambda: "stopped by signal" in text(log), "not preempted")
    slurm.wait(lambda: started(2), "not back after preemption")
    time.sleep(1)
    # As Slurm does it some time before the limit.
    slurm.command("scancel", "--signal=USR1", job)
    slurm.wait(lambda: text(log).count("stopped by signal") == 2, "the signal did not arrive")
    slurm.wait(lambda: started(3), "not requeued")
    slurm.wait(lambda: state() in ("COMPLETED", "FAILED", "CANCELLED"), "not finished", 120)
    assert state() == "COMPLETED", (state(), text(os.path.join(scratch, f"job-{job}.log")))
    restarts = int(re.search(r"Restarts=(\d+)", slurm.command("scontrol", "show", "job", job)).group(1))
    assert restarts >= 2, restarts
    same(contents(os.path.join(scratch, "job")), contents(os.path.join(scratch, "undisturbed")))
    print(f"        {restarts} restarts: same bits")


def ranks_by_srun_end_before_the_limit(slurm, scratch):
    """Two ranks that srun starts work on one system and stop before the limit of their job: by the clock, or by Slurm's signal, which comes early in so short a one."""
    path = write_input(scratch, "limited", 1000000, "compute: {ranks_per_replica: 2, threads: 1}")
    uplift("slurm", path, "--cpus", "2", "--time", "1min", "--mpi", "pmix", "-o", os.path.join(scratch, "limited.sh"))
    job = re.search(r"\d+", slurm.command("sbatch", "--chdir", scratch, os.path.join(scratch, "limited.sh"))).group()
    log = os.path.join(scratch, "limited", "run.log")
    shown = lambda name: re.search(name + r"=(\S+)", slurm.command("scontrol", "show", "job", job)).group(1)

    def has_stopped():
        stopped = "stopped by" in text(log)
        assert stopped or shown("JobState") not in ("COMPLETED", "FAILED"), "the job has ended: " + text(os.path.join(scratch, f"limited-{job}.log"))
        return stopped

    slurm.wait(has_stopped, "it does not stop before its limit", 90)
    assert "the Slurm job ends in" in text(log) and "2 ranks (" in text(log), text(log)
    slurm.wait(lambda: int(shown("Restarts")) >= 1 and text(log).count("  stage go\n") >= 2, "not requeued")
    slurm.command("scancel", job)
    slurm.wait(lambda: shown("JobState") == "CANCELLED", "not cancelled")
    assert "DUE TO TIME LIMIT" not in text(os.path.join(scratch, f"limited-{job}.log"))


def an_array_makes_the_replicas_of_one_run(slurm, scratch):
    path = write_input(scratch, "many", 100, "compute: {replicas: 3}")
    uplift("run", path, "--quiet", "--set", f"output.directory={scratch}/together")
    uplift("slurm", path, "--array", "--cpus", "1", "--time", "10min", "-o", os.path.join(scratch, "many.sh"))
    job = re.search(r"\d+", slurm.command("sbatch", "--chdir", scratch, os.path.join(scratch, "many.sh"))).group()
    # Every task by name: a busy controller may answer with nothing, which is not the end.
    slurm.wait(lambda: slurm.command("squeue", "-h", "-r", "-t", "all", "-o", "%T", "-j", job, check=False).split() == ["COMPLETED"] * 3,
               "the array does not end", 120)
    same(contents(os.path.join(scratch, "many")), contents(os.path.join(scratch, "together")))
    uplift("run", path, "--quiet", "--resume")  # nothing is left to do but what belongs to all of them


if __name__ == "__main__":
    failures = 0

    def check(function, *arguments):
        global failures
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(*arguments, folder)
                print("ok     ", function.__name__, flush=True)
            except Exception as e:
                failures += 1
                print("FAILED ", function.__name__, repr(e)[:3000], flush=True)

    check(the_end_of_a_job_is_known)
    check(scripts_are_refused_that_cannot_work)
    check(scripts_fit_the_system)
    check(scripts_do_not_believe_a_busy_controller)
    check(an_end_in_the_past_is_not_believed)
    if why := slurm_daemons.missing():
        print("skipped: a real Slurm:", why)
        sys.exit(1 if failures else 77)
    try:
        with tempfile.TemporaryDirectory() as place, slurm_daemons.Slurm(place) as running:
            check(preempted_and_requeued_until_it_is_done, running)
            check(an_array_makes_the_replicas_of_one_run, running)
            if has_mpi():
                check(ranks_by_srun_end_before_the_limit, running)
            if failures:
                print(running.logs())
    except slurm_daemons.CannotStart as e:
        print("skipped: Slurm does not start on this machine:", e)
        sys.exit(1 if failures else 77)
    sys.exit(1 if failures else 0)
