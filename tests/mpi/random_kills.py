#!/usr/bin/python3
"""Kills ranks at random times and goes on, on another number of ranks, until the run is done: it ends with the bits of an undisturbed run.

  random_kills.py COUNT UPLIFT MPIRUN [MPIRUN OPTIONS]

Each job must end within ten seconds of a kill, with status 1. Too long for every day with many kills; domains_test.py has one.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

COUNT = int(sys.argv.pop(1))

from domains_test import CASES, command, contents, differing, ranks_of, run, write_input


def main():
    rng = random.Random(2026)
    with tempfile.TemporaryDirectory() as scratch:
        path = write_input(scratch, "kills", CASES["npt-boost"].replace("0.44", "4"), checkpoint="0.2 s")
        began = time.time()
        wanted = contents(run(2, path))
        whole = time.time() - began
        out = os.path.join(scratch, "killed")
        slowest, kills = 0.0, 0
        while kills < COUNT:
            ranks = rng.choice((2, 3, 4))
            job = subprocess.Popen(command(ranks, "run", path, "--quiet", "--resume", "--set", "output.directory=" + out), stderr=subprocess.PIPE, text=True)
            time.sleep(rng.uniform(0.3, 1.0) * whole / 3)
            alive = ranks_of(job) if job.poll() is None else []
            if not alive:  # done, or between two processes: a run that is done begins again
                assert job.wait(300) in (0,), job.communicate()[1]
                assert not differing(wanted, contents(out))
                subprocess.run(["rm", "-r", out], check=True)
                continue
            os.kill(rng.choice(alive), signal.SIGKILL)
            began = time.time()
            error = job.communicate(timeout=300)[1]
            slowest = max(slowest, time.time() - began)
            assert job.returncode == 1, (job.returncode, error)
            assert slowest < 10, slowest
            kills += 1
            print(f"kill {kills} of {ranks} ranks: status {job.returncode}, {time.time() - began:.1f} s", flush=True)
        subprocess.run(command(3, "run", path, "--quiet", "--resume", "--set", "output.directory=" + out), check=True)
        wrong = differing(wanted, contents(out))
        assert not wrong, wrong
        print(f"{kills} kills, each job ended within {slowest:.1f} s; same bits")


if __name__ == "__main__":
    main()
