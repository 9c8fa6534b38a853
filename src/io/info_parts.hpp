#pragma once
// `uplift info`: what its parts share.
#include <string>

#include "uplift/core/box.hpp"
#include "uplift/model/settings.hpp"

namespace uplift::info {

std::string row(const char* name, const std::string& value);
std::string box_text(const Box& box);

/// Each describes one kind of file, beginning with what it is. `settings` holds what a topology needs besides.
std::string topology(const std::string& path, const SystemSettings& settings);
std::string structure(const std::string& path);
std::string coordinates(const std::string& path);

}  // namespace uplift::info
