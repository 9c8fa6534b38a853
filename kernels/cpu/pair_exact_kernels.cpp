#include "cpu/pair_exact_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(ExactPairKernels, exact_pair_kernels)
