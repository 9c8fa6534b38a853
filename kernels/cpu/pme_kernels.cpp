#include "cpu/pme_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(PmeKernels, pme_kernels)
