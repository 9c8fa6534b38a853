#include "harness.hpp"
#include "uplift/io/amber.hpp"

UPLIFT_FUZZ_FILE("a.inpcrd", uplift::read_amber_coordinates(path))
