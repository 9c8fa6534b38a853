#include "cpu/integrate_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(IntegrateKernels, integrate_kernels)
