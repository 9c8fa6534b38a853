#include "cpu/pair_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(PairKernels, pair_kernels)
