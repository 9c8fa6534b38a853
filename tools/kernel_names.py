"""Names of CUDA kernels as people read them, for scripts that look at what compilers made of them."""
import re
import shutil
import subprocess


def demangle(names):
    if not names or not shutil.which("c++filt"):
        return names
    return subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout.splitlines()


def short(name):
    """uplift::cuda_device::(anonymous namespace)::moves_kernel(...) becomes moves_kernel; template arguments stay."""
    name = re.sub(r"uplift::\w+::|\(anonymous namespace\)::|^void ", "", name)
    depth = 0
    for k, letter in enumerate(name):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "(" and depth == 0:
            return name[:k]
    return name
