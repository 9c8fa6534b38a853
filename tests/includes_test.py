#!/usr/bin/env python3
"""Does every source include the standard headers whose names it uses, itself or by a header of ours? What standard headers bring along of each
other differs from one compiler to the next, and CI has one only.   includes_test.py [ROOT | --self-test]"""
import functools
import os
import re
import sys

CALLS = {  # header: functions
    'algorithm': 'sort stable_sort partial_sort nth_element is_sorted count count_if all_of any_of none_of find find_if find_if_not '
                 'max_element min_element minmax_element max min clamp copy copy_n copy_if fill fill_n transform remove remove_if unique '
                 'lower_bound upper_bound equal_range binary_search equal mismatch shuffle reverse rotate for_each generate replace search '
                 'merge set_difference set_intersection includes partition stable_partition lexicographical_compare',
    'numeric': 'accumulate iota reduce inner_product gcd lcm partial_sum midpoint',
    'cmath': 'sqrt cbrt hypot abs fabs sin cos atan2 acos tanh exp log pow erf erfc floor ceil round lround nearbyint remainder ldexp '
             'copysign isfinite isnan',
    'cstring': 'memcpy memset memmove memcmp strcmp strlen strerror',
    'cstdlib': 'getenv strtoull strtod abort system malloc free',
    'csignal': 'signal raise',
    'utility': 'exchange',
    'bit': 'bit_cast popcount countr_zero countl_zero',
}
NAMES = {  # header: types and the like
    'array': 'array', 'atomic': 'atomic atomic_ref', 'chrono': 'chrono', 'cstdint': 'int64_t uint64_t int32_t uint32_t uint8_t',
    'filesystem': 'filesystem', 'fstream': 'ifstream ofstream', 'functional': 'function', 'iostream': 'cout cerr', 'limits': 'numeric_limits',
    'map': 'map multimap', 'memory': 'unique_ptr shared_ptr make_unique make_shared', 'mutex': 'mutex lock_guard unique_lock scoped_lock',
    'numbers': 'numbers', 'optional': 'optional', 'set': 'set', 'span': 'span', 'sstream': 'ostringstream istringstream stringstream',
    'string': 'string', 'thread': 'thread this_thread', 'tuple': 'tuple tie', 'variant': 'variant visit get_if holds_alternative',
    'vector': 'vector',
}
USES = [(header, re.compile(r'std::(?:%s)\b(?:<[^;()]*>)?\(' % '|'.join(names.split()))) for header, names in CALLS.items()]
USES += [(header, re.compile(r'std::(?:%s)\b' % '|'.join(names.split()))) for header, names in NAMES.items()]
OURS = ('include', 'kernels', 'src', 'tests', 'kernels/simt/include')


def missing(text, included):
    """Headers that `text` needs and are not among `included`."""
    text = re.sub(r'//.*', '', text)
    return [header for header, use in USES if header not in included and use.search(text)]


def main(root):
    os.chdir(root)

    @functools.cache
    def read(path):
        with open(path, encoding='utf-8') as file:
            return file.read()

    def included(path, seen):
        """Standard headers that a file gets by itself and by ours."""
        if path in seen:
            return set()
        seen.add(path)
        found = set(re.findall(r'#include <([a-z_0-9]+)>', read(path)))
        for name in re.findall(r'#include ["<]([^">]+\.(?:hpp|cuh|h))[">]', read(path)):
            candidates = [os.path.normpath(os.path.join(folder, name)) for folder in (*OURS, os.path.dirname(path))]
            for one in filter(os.path.exists, candidates):
                found |= included(one, seen)
        return found

    sources = sorted(os.path.join(folder, name) for top in ('include', 'kernels', 'src', 'tests', 'benchmarks')
                     for folder, _, names in os.walk(top) for name in names if name.endswith(('.cpp', '.hpp', '.cu', '.cuh')))
    if len(sources) < 100:
        sys.exit(f'only {len(sources)} sources here: nothing to look at')
    wrong = 0
    for path in sources:
        for header in missing(read(path), included(path, set())):
            print(f'{path}: include <{header}>')
            wrong += 1
    print(f'{len(sources)} sources, {wrong} headers missing')
    return wrong != 0


def self_test():
    assert missing('int n = std::count_if(a, b, f);', set()) == ['algorithm']
    assert missing('auto m = std::max<std::size_t>(1, 2); // std::vector', set()) == ['algorithm']
    assert missing('std::vector<std::string> v;', {'string'}) == ['vector']
    assert missing('double x = own::sqrt(2) + std::sqrt(2);', {'cmath'}) == []
    return 0


if __name__ == '__main__':
    argument = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    sys.exit(self_test() if argument == '--self-test' else main(argument))
