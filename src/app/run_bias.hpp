#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "uplift/model/bias.hpp"

namespace uplift::app {

/// The stages in a stages.json; none where there is no such file.
nlohmann::json read_stages(const std::string& path);

/// For the log at the end of a stage that gathered them.
std::string statistics_text(const BiasStatistics& statistics);

}  // namespace uplift::app
