#include "cpu/constrain_kernels.hpp"

#include <stdexcept>

UPLIFT_SELECT_KERNELS(ConstrainKernels, constrain_kernels)
