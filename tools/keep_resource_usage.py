#!/usr/bin/env python3
"""Runs a compile command of nvcc and keeps what ptxas says of each kernel (-Xptxas -v) beside the object, as OBJECT.resources.txt, instead of
on the screen. Everything else goes where it would have gone.

  keep_resource_usage.py NVCC ... -o OBJECT ...
"""
import re
import subprocess
import sys

command = sys.argv[1:]
done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
usage = re.compile(r"ptxas info|\s+\d+ bytes stack frame")
kept, shown = [], []
for line in done.stdout.splitlines(keepends=True):
    (kept if usage.match(line) else shown).append(line)
sys.stderr.write("".join(shown))
if "-o" in command and done.returncode == 0:
    with open(command[command.index("-o") + 1] + ".resources.txt", "w") as f:
        f.writelines(kept)
sys.exit(done.returncode)
