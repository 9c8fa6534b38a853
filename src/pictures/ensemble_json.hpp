#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace uplift {

/// What a page of several replicas shows beside that of a run: "replicas", with histograms of their energies, and "exchanges".
/// Nothing where the directory is one of a single run.
void add_replicas(const std::filesystem::path& directory, nlohmann::json& report);

}  // namespace uplift
