#pragma once
// From frames of boosted runs to the unbiased probability of bins.
#include <span>
#include <string>
#include <vector>

namespace uplift {

/// none: as sampled. exponential: frames weigh exp(beta dV), which is exact for any static bias (Hamelberg, Mongan and
/// McCammon, J. Chem. Phys. 120, 11919 (2004), eq. 3). pooled: the same for frames of several runs with the same bias.
/// maclaurin: exp by its series (Miao et al., J. Chem. Theory Comput. 10, 2677 (2014), eq. 6). cumulant: the mean of exp(beta
/// dV) in each bin by its cumulants up to third order (same, eq. 7 to 11). mbar: frames of stages with different biases (see
/// mbar.hpp).
enum class ReweightMethod { none, exponential, maclaurin, cumulant, pooled, mbar };

const char* method_name(ReweightMethod method);
/// Throws InputError for another word.
ReweightMethod method_named(const std::string& name);

/// log p of each bin, up to a constant; -infinity for a bin without frames. `bin` [frames] is the bin of a frame, -1: outside;
/// `boost` [frames] is beta dV. `order`: of maclaurin and cumulant.
std::vector<double> log_probabilities(ReweightMethod method, int order, std::span<const int> bin, std::span<const double> boost,
                                      int bins);
/// The same for frames whose logarithmic weights are known.
std::vector<double> log_probabilities(std::span<const int> bin, std::span<const double> log_weights, int bins);

/// log of the weight of a frame by itself: beta dV, or the logarithm of its series.
double log_weight(ReweightMethod method, int order, double boost);

/// so that the sum of all is one.
void normalise(std::vector<double>& log_probabilities);

}  // namespace uplift
