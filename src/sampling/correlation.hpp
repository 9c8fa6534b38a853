#pragma once
// How many frames of biased runs make an independent one.
#include <functional>
#include <string>
#include <vector>

#include "uplift/sampling/biased_frames.hpp"

namespace uplift {

struct SlowestVariable {
  double inefficiency = 1;
  std::string apart;  ///< its name, where runs differ in it by more than they change within; else empty
};
/// Means of a value of the configurations, one a state.
using ExpectedMeans = std::function<std::vector<double>(const std::vector<double>&)>;

/// Of all variables, and of boosts where there are some: about the means that are expected (none: those over the frames of each
/// state), so that runs that stay apart count as the few frames that they are worth. Of replicas that exchanged, of their sum
/// at each time too: which configurations there are changes more slowly than which of them is at one temperature.
SlowestVariable slowest_variable(const BiasedFrames& frames, bool boosted, const ExpectedMeans& expected);

/// Of the weights themselves, given as logarithms.
double inefficiency_of_weights(const BiasedFrames& frames, const std::vector<double>& log_weights);

/// Of each series: those of a group are samples of one distribution, that of their state. Where blocks of `length` frames are
/// too long for single runs and biases differ in their numbers alone, as of replicas that each had a baseline of its own, all
/// are one group: what such runs differ in is what they went through.
std::vector<int> groups_of_series(const BiasedFrames& frames, std::size_t length);

}  // namespace uplift
