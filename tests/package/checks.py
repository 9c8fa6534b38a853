"""Runs checks one after the other, each in a folder of its own, and ends the program with what came of them."""
import sys
import tempfile


def run_all(*checks):
    failures = 0
    for check in checks:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(folder)
                print("ok     ", check.__name__, flush=True)
            except Exception as e:
                failures += 1
                print("FAILED ", check.__name__, repr(e)[:3000], flush=True)
    sys.exit(1 if failures else 0)
