#include "harness.hpp"
#include "uplift/io/structure.hpp"

UPLIFT_FUZZ_FILE("a.cif", uplift::read_structure(path))
