#!/usr/bin/env python3
"""Registers, shared memory and spills of every CUDA kernel and architecture, from what the build kept (tools/keep_resource_usage.py).

  resource_usage.py BUILD_FOLDER      writes BUILD_FOLDER/kernel-resources.json and a table; exit status 1 when a kernel spills that may not,
                                      77 (skip) where no CUDA was built
  resource_usage.py --self-test

All kernels are hot but those that a pattern here names: what runs now and then may spill.
"""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from kernel_names import demangle, short

COLD = {
    r"cluster_pairs_kernel<General<double, .*\(Wanted\)1, ": "energies in double precision, in steps that report them",
}


def parse(text):
    """Kernel by kernel: what ptxas -v said. Names are as the compiler mangled them."""
    kernels, current = [], None
    for line in text.splitlines():
        if match := re.search(r"Compiling entry function '(\S+)' for '(\S+)'", line):
            current = {"name": match[1], "architecture": match[2], "stack": 0, "spill_stores": 0, "spill_loads": 0}
            kernels.append(current)
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            # One such line for the kernel and one for every function that it calls (sin, pow in double): all of them are its own.
            if current is not None:
                for key, value in zip(("stack", "spill_stores", "spill_loads"), match.groups()):
                    current[key] += int(value)
        elif match := re.search(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?", line):
            if current is not None:
                current.update(registers=int(match[1]), shared=int(match[2] or 0))
    return kernels


def is_cold(name):
    return any(re.match(pattern, name) for pattern in COLD)


def spilling(kernels):
    return [k for k in kernels if k["spill_stores"] + k["spill_loads"] > 0 and not is_cold(k["kernel"])]


def self_test():
    sample = """ptxas info    : Compiling entry function '_Z3hotv' for 'sm_90'
ptxas info    : Function properties for _Z3hotv
    8 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Function properties for __internal_trig_reduction_slowpathd
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 2560 bytes smem, 1553 bytes cmem[0]
ptxas info    : Compiling entry function '_Z5tallyv' for 'sm_90'
    8 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 32 registers
ptxas info    : Compiling entry function '_Z4calmv' for 'sm_90'
ptxas info    : Function properties for _Z4calmv
    72 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers
"""
    kernels = parse(sample)
    for k, name in zip(kernels, ("hot", "cluster_pairs_kernel<General<double, (CoulombForm)2, 0>, (Wanted)1, false>", "calm")):
        k["kernel"] = name
    assert kernels[0]["registers"] == 255 and kernels[0]["shared"] == 2560 and kernels[1]["shared"] == 0, kernels
    assert kernels[0]["spill_stores"] == 8 and kernels[0]["spill_loads"] == 4, kernels  # not those of the function that it calls
    assert [k["kernel"] for k in spilling(kernels)] == ["hot"], kernels
    assert short("void uplift::cuda_device::(anonymous namespace)::f_kernel<float, (uplift::cuda_device::Form)2>(uplift::cuda_device::V<float>)") == "f_kernel<float, (Form)2>"


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    build = sys.argv[1]
    kernels = []
    for path in sorted(glob.glob(os.path.join(build, "**", "*.resources.txt"), recursive=True)):
        if not os.path.exists(path.removesuffix(".resources.txt")):
            continue  # of a source that is no more
        with open(path) as f:
            kernels += parse(f.read())
    if unfinished := [k["name"] for k in kernels if "registers" not in k]:
        print(f"ptxas did not say how many registers {unfinished[0]} uses: this script does not know its words any more")
        return 1
    if not kernels:
        print("skipped: no CUDA kernels in this build")
        return 77
    for kernel, name in zip(kernels, demangle([k["name"] for k in kernels])):
        kernel["kernel"] = short(name)
        del kernel["name"]
    kernels.sort(key=lambda k: (k["kernel"], k["architecture"]))
    with open(os.path.join(build, "kernel-resources.json"), "w") as f:
        json.dump(kernels, f, indent=1)
    print(f"{'kernel':70s} {'arch':7s} registers  shared  stack  spills (bytes)")
    for k in kernels:
        print(f"{k['kernel'][:70]:70s} {k['architecture']:7s} {k['registers']:9d} {k['shared']:7d} {k['stack']:6d}  {k['spill_stores'] + k['spill_loads']}")
    for pattern in COLD:
        if not any(re.match(pattern, k["kernel"]) for k in kernels):
            print(f"'{pattern}' is called cold and is no kernel any more: take it from the list")
            return 1
    for k in spilling(kernels):
        print(f"{k['kernel']} spills {k['spill_stores']} + {k['spill_loads']} bytes on {k['architecture']}: fewer values at a time, or, if it seldom runs, the list of cold kernels")
    return 1 if spilling(kernels) else 0


if __name__ == "__main__":
    sys.exit(main())
