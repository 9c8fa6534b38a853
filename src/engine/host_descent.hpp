#pragma once
#include <memory>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// Vectors in host memory, for a backend that has none of its own: positions go there and forces come back each time.
std::unique_ptr<Descent> make_host_descent(const System& system, Backend& backend, const State& start);

}  // namespace uplift
