#include "uplift/sampling/mbar.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "uplift/sampling/series.hpp"

namespace uplift {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

constexpr int first_iterations = 4;  // self-consistent ones: they bring any start near enough for Newton's
constexpr int most_iterations = 500;
constexpr int most_halvings = 40;
constexpr double tolerance = 1e-9;  // kT

/// The convex function of the free energies f of sampled states whose minimum solves the equations:
/// sum_n ln sum_k N_k exp(f_k - u_kn) - sum_k N_k f_k, with its derivatives.
class Likelihood {
 public:
  Likelihood(const std::vector<std::vector<double>>& u, const std::vector<double>& counts) : u_(u), counts_(counts) {
    for (std::size_t k = 0; k < counts.size(); ++k)
      if (counts[k] > 0) sampled_.push_back(k);
  }

  /// All that follows is at these free energies, one a state.
  void look_at(const std::vector<double>& f, std::vector<double>& log_mixture) {
    const auto size = static_cast<Eigen::Index>(sampled_.size());
    sums_ = Vector::Zero(size);
    products_ = Matrix::Zero(size, size);
    value_ = 0;
    std::vector<double> terms(sampled_.size());
    Vector p(size);
    for (std::size_t n = 0; n < log_mixture.size(); ++n) {
      for (std::size_t s = 0; s < sampled_.size(); ++s) {
        const std::size_t k = sampled_[s];
        terms[s] = std::log(counts_[k]) + f[k] - u_[k][n];
      }
      log_mixture[n] = log_sum_exp(terms);
      value_ += log_mixture[n];
      for (std::size_t s = 0; s < sampled_.size(); ++s)
        p[static_cast<Eigen::Index>(s)] = std::exp(terms[s] - log_mixture[n]);  // that frame n is of state k
      sums_ += p;
      products_ += p * p.transpose();
    }
    for (std::size_t k : sampled_) value_ -= counts_[k] * f[k];
  }

  double value() const { return value_; }

  /// Newton's step; none where states are apart.
  bool step(std::vector<double>& step) const {
    const Eigen::Index rest = sums_.size() - 1;  // the first sampled state stays where it is
    if (rest < 1) return false;
    Vector gradient(rest);
    for (Eigen::Index s = 0; s < rest; ++s) gradient[s] = sums_[s + 1] - counts_[sampled_[static_cast<std::size_t>(s) + 1]];
    const Matrix curvature = (Matrix(sums_.asDiagonal()) - products_).bottomRightCorner(rest, rest);
    const Eigen::LDLT<Matrix> solver(curvature);
    if (solver.info() != Eigen::Success || !(solver.vectorD().minCoeff() > 0)) return false;
    const Vector change = -solver.solve(gradient);
    if (!change.allFinite()) return false;
    step.assign(u_.size(), 0.0);
    for (Eigen::Index s = 0; s < rest; ++s) step[sampled_[static_cast<std::size_t>(s) + 1]] = change[s];
    return true;
  }

  /// 1 minus the second eigenvalue of the overlap matrix: 0 for states that share no frames, 1 for equal ones.
  double overlap() const {
    const Eigen::Index size = sums_.size();
    if (size < 2) return 1;
    Matrix overlap(size, size);
    for (Eigen::Index a = 0; a < size; ++a)
      for (Eigen::Index b = 0; b < size; ++b)
        overlap(a, b) = products_(a, b) / std::sqrt(counts_[sampled_[static_cast<std::size_t>(a)]] *
                                                    counts_[sampled_[static_cast<std::size_t>(b)]]);
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(overlap, Eigen::EigenvaluesOnly);
    return std::clamp(1 - solver.eigenvalues()[size - 2], 0.0, 1.0);
  }

 private:
  const std::vector<std::vector<double>>& u_;
  const std::vector<double>& counts_;
  std::vector<std::size_t> sampled_;
  Vector sums_;
  Matrix products_;
  double value_ = 0;
};

/// Eq. 11 with the mixture as it is.
std::vector<double> next_free_energies(const std::vector<std::vector<double>>& u, const std::vector<double>& log_mixture) {
  std::vector<double> shifted(log_mixture.size()), next;
  for (const std::vector<double>& of_state : u) {
    for (std::size_t n = 0; n < shifted.size(); ++n) shifted[n] = -of_state[n] - log_mixture[n];
    next.push_back(-log_sum_exp(shifted));
  }
  for (std::size_t k = next.size(); k-- > 0;) next[k] -= next[0];
  return next;
}

double largest_change(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]));
  return most;
}

}  // namespace

MbarResult solve_mbar(const std::vector<std::vector<double>>& u, const std::vector<double>& counts,
                      const std::vector<double>& start) {
  const std::size_t states = u.size(), frames = states > 0 ? u[0].size() : 0;
  MbarResult r;
  r.free_energies = start.size() == states ? start : std::vector<double>(states, 0.0);
  r.log_mixture.assign(frames, 0.0);
  Likelihood likelihood(u, counts);
  std::vector<double> step, trial(states);
  likelihood.look_at(r.free_energies, r.log_mixture);
  const int own_way = start.size() == states ? 0 : first_iterations;
  for (r.iterations = 0; r.iterations < most_iterations && !r.converged; ++r.iterations) {
    const std::vector<double> before = r.free_energies;
    const double value = likelihood.value(), rounding = 1e-13 * std::abs(value);
    bool better = false;
    if (r.iterations >= own_way && likelihood.step(step)) {
      double part = 1;
      for (int half = 0; half < most_halvings && !better; ++half, part /= 2) {
        for (std::size_t k = 0; k < states; ++k) trial[k] = before[k] + part * step[k];
        likelihood.look_at(trial, r.log_mixture);
        better = likelihood.value() <= value + rounding;
      }
      if (!better) likelihood.look_at(before, r.log_mixture);
    }
    r.free_energies = better ? trial : next_free_energies(u, r.log_mixture);
    if (!better) likelihood.look_at(r.free_energies, r.log_mixture);
    r.converged = largest_change(r.free_energies, before) < tolerance;
  }
  r.overlap = likelihood.overlap();
  // States that gave no frames follow from the mixture.
  r.free_energies = next_free_energies(u, r.log_mixture);
  return r;
}

}  // namespace uplift
