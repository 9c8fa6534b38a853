#include "cpu/gb_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(GbKernels, gb_kernels)
