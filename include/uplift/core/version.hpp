#pragma once
namespace uplift {

extern const char* const version;  ///< "0.1.0": that of project() in CMakeLists.txt

}  // namespace uplift
