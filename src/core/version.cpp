#include "uplift/core/version.hpp"

namespace uplift {

const char* const version = UPLIFT_VERSION;

}  // namespace uplift
