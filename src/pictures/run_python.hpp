#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace uplift {

/// Gives the task to draw.py. Returns what went wrong and what to do; empty: nothing.
std::string run_python(const nlohmann::json& task);

}  // namespace uplift
