#include "harness.hpp"

UPLIFT_FUZZ_FILE("a.pdb", uplift::fuzz::read_all(*uplift::open_trajectory(path)))
