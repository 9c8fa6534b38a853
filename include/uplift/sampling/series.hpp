#pragma once
// Statistics of correlated series and of reweighting factors.
#include <cstdint>
#include <span>
#include <vector>

namespace uplift {

/// g = 1 + 2 sum of the normalised autocorrelation up to its first zero: so many frames are worth one independent one (Chodera,
/// J. Chem. Theory Comput. 12, 1799 (2016), eq. 8). At least 1; 1 for a series without spread.
double statistical_inefficiency(std::span<const double> values);
/// The same of several series of one distribution, `values` having its mean taken away: runs that stay in parts of their own
/// are correlated as long as they are.
double statistical_inefficiency(const std::vector<std::span<const double>>& series);

/// Frames for bootstrap replicates: blocks of `length` frames that begin anywhere in the series of a group and go round the
/// end of theirs, as many as make up the group (circular block bootstrap; Politis and Romano, in Exploring the Limits of
/// Bootstrap, Wiley 1992, p. 263). Series of a group are samples of one distribution, as those of replicas: one that is no
/// longer than a block is drawn as a whole, or not. Blocks are shortened to a quarter of a group: what cannot vary has no
/// error. Replicas that exchange go through the same configurations: a block is of the same times of all of them.
class Blocks {
 public:
  /// `starts`: first frame of each series, and of what comes after the last. `groups`: of each series. `ensembles`: equal for
  /// series that exchanged, of which the first says the group, -1 for others; empty: all alone.
  Blocks(const std::vector<std::size_t>& starts, const std::vector<int>& groups, std::size_t length,
         const std::vector<int>& ensembles = {});
  std::vector<std::size_t> resample(std::uint64_t seed, int replicate) const;
  /// In the group that has the fewest. The variance of n blocks is too small by 1 - 1/n.
  double number() const { return number_; }

 private:
  struct Strand {  ///< a series, or those that exchanged
    int ensemble;
    std::vector<std::size_t> series;
    std::size_t size;  ///< frames of each
  };
  struct Group {
    int number;
    std::vector<Strand> strands;
    std::vector<std::size_t> ends;  ///< frames of the group up to each of its strands, from 0
    std::size_t length;             ///< of blocks
  };
  std::vector<std::size_t> starts_;
  std::vector<Group> groups_;
  double number_ = 0;
};

/// log of the sum of exponentials.
double log_sum_exp(std::span<const double> values);

/// Kish's effective number of frames, (sum w)^2 / sum w^2, of weights given as logarithms (Kish, Survey Sampling, Wiley 1965,
/// section 11.7).
double effective_frames(std::span<const double> log_weights);
/// Largest weight over the sum of all.
double largest_share(std::span<const double> log_weights);

struct Histogram {
  std::vector<double> edges;
  std::vector<std::int64_t> counts;
};
/// Over the range of the values; one bin if they have none.
Histogram histogram(std::span<const double> values, int bins);

/// gamma = ln(2 pi e sd^2)/2 - S, with the entropy S of a histogram of 50 bins: zero for a Gaussian, for which alone the
/// cumulant expansion to second order is exact (Miao et al., J. Chem. Theory Comput. 10, 2677 (2014), eq. 12 and 13). Not a
/// number without spread.
double anharmonicity(std::span<const double> values);

}  // namespace uplift
