#include "cpu/bonded_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(BondedKernels, bonded_kernels)
