#pragma once
#include <string>
#include <vector>

namespace uplift {

/// StageSettings::settings with numbers and quantities in the engine's units, so that the same values are the same text: "2fs",
/// "2 fs" and "0.002 ps" are one. What is no key of the input, or no such value, stays as it is.
std::string canonical_settings(const std::string& settings);
/// Lines of `settings`, as they stand there, whose values `other` does not have.
std::vector<std::string> settings_missing(const std::string& settings, const std::string& other);

}  // namespace uplift
