#pragma once
// What an input allows and its system makes doubtful.
#include <string>
#include <vector>

#include "uplift/model/settings.hpp"
#include "uplift/model/system.hpp"

namespace uplift::app {

/// Of a system with PME whose charges do not add up to nothing; else empty.
std::string note_of_charge(const System& system);

/// Of a system so large that sums of energies may not hold them; else empty. `alpha`: of PME [1/nm]; 0 without.
std::string doubt_of_size(const System& system, double alpha);

/// Stages whose steps are too long for the hydrogens of this system.
std::vector<std::string> doubts_of_steps(const RunInput& input, const Topology& topology);

/// What selections of an input ask for, and its system has not.
std::vector<std::string> doubts_of_selections(const RunInput& input, const Topology& topology);
/// Likewise of one selection, which the message begins with `where` to name.
std::vector<std::string> doubts_of_selection(const std::string& where, const std::string& selection, const Topology& topology);

}  // namespace uplift::app
