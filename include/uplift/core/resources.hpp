#pragma once
// Files that come with the program: forcefields/, inputs/, examples/, docs/.
#include <filesystem>
#include <string>
#include <vector>

namespace uplift {

/// Folders that may be share/uplift, best first. $UPLIFT_SHARE, when it is set, is the only one; else share/uplift beside the
/// bin/ of the running program (a build folder has one, too, of links into the source), then that of the installation this
/// library was built for.
std::vector<std::filesystem::path> share_folders();

/// A file or folder of share/uplift, as in resource("forcefields/tip3p.xml"). Throws InputError naming the folders it looked
/// in.
std::filesystem::path resource(const std::string& name);

/// Where a user finds a page of the documentation: "docs/yaml-reference.md" as an installed path when it is there, else that
/// name itself.
std::string documentation(const std::string& page);

}  // namespace uplift
