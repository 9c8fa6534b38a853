#pragma once
// `uplift info`: what its parts share.
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/model/settings.hpp"

namespace uplift::info {

std::string row(const char* name, const std::string& value);
std::string box_text(const Box& box);

/// ", every 2 ps" by the times of all rows; stages that write at other times, or are cut short, have gaps of their own.
std::string spacing(const std::vector<double>& times);
/// "2, production, not begun": where a run is.
std::string stage_text(const Checkpoint& checkpoint);
/// Of exchange.h5, of a surface's file, and of the folder of a run. Throw InputError.
std::string exchanges(const h5::File& file);
std::string surface(const h5::File& file);
std::string run_directory(const std::string& path);

/// Each describes one kind of file, beginning with what it is. `settings` holds what a topology needs besides.
std::string topology(const std::string& path, const SystemSettings& settings);
std::string structure(const std::string& path);
std::string coordinates(const std::string& path);

}  // namespace uplift::info
