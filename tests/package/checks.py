"""What tests of the whole program share. run_all() runs checks one after the other, each in a folder of its own, and ends the program with what came of them. UPLIFT_CHECKS names those to run, if not all."""
import os
import subprocess
import sys
import tempfile

INPUTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "inputs"))
UPLIFT = os.path.abspath(sys.argv[-1])  # the program: the last argument of every test


def uplift(*arguments, expect=0, **more):
    """What came of it; `more` goes to subprocess.run()."""
    done = subprocess.run([UPLIFT, *arguments], capture_output=True, text=True, **more)
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run_all(*checks):
    wanted = os.environ.get("UPLIFT_CHECKS", "").split()
    unknown = set(wanted) - {check.__name__ for check in checks}
    if unknown:
        sys.exit(f"UPLIFT_CHECKS: there is no {', '.join(sorted(unknown))}")
    failures = 0
    for check in checks:
        if wanted and check.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(folder)
                print("ok     ", check.__name__, flush=True)
            except Exception as e:
                failures += 1
                print("FAILED ", check.__name__, repr(e)[:3000], flush=True)
    sys.exit(1 if failures else 0)
