#pragma once
// Whether a file may be written: not over an input, not over a file of a run, and over nothing else unless that is wanted.
#include <string>
#include <vector>

#include "uplift/model/settings.hpp"

namespace uplift {

/// Both names are of one file, there or not yet.
bool same_file(const std::string& a, const std::string& b);

/// Throws InputError where `output` is one of `inputs` (empty names are none), or a file of the run that its folder holds, or a
/// name that promises something else than what is written ("-", "x.gz"), or in a folder that is not there or not to be written
/// to. `cure`: how to choose another name.
void check_output(const std::string& output, const std::vector<std::string>& inputs,
                  const std::string& cure = "choose another name for the output");
/// The same, and where it is there already and `force` is not set.
void check_new_output(const std::string& output, const std::vector<std::string>& inputs, bool force);

/// Every file that an input names, and itself.
std::vector<std::string> files_of(const RunInput& input);

/// Throws InputError where the run would write over files in its directory that are no leftovers of a run of ours, which are
/// known by their run.log. `ensemble`: the directory of all replicas, not of one.
void check_directory(const RunInput& input, bool ensemble);

/// What is wrong where the run would write over one of these; empty: it does not.
std::string overwritten_by_run(const RunInput& input);

}  // namespace uplift
