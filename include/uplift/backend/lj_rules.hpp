#pragma once
#include <cstdint>
#include <vector>

#include "uplift/model/force_field.hpp"

namespace uplift {

/// How parameters of two types of atoms follow from those of each, as far as a table of pairs of types has such a rule.
enum class LjRule {
  none,               ///< every pair of types has its own
  lorentz_berthelot,  ///< sigma_ij = (sigma_i + sigma_j)/2, epsilon_ij = sqrt(epsilon_i epsilon_j)
  geometric           ///< c6_ij = sqrt(c6_i c6_j), c12_ij = sqrt(c12_i c12_j), as with OPLS
};

struct LjRules {
  explicit LjRules(const ForceField& force_field);

  LjRule rule = LjRule::none;
  /// [types] of the rule. Lorentz and Berthelot: sigma/2 [nm] and sqrt(4 epsilon); geometric: sqrt(c6) and sqrt(c12); else
  /// empty. Both are 0 for types without Lennard-Jones.
  std::vector<double> first, second;
  /// [types^2] pairs that do not follow Lorentz and Berthelot's rules to 3e-7, as NBFIX has them; empty: all do.
  std::vector<char> exception;
};

/// Bits of types of atoms, for telling quickly which clusters of atoms may have pairs that are exceptions. A type that is in
/// one has a bit, which others may share where there are many.
struct ExceptionMarks {
  std::vector<std::uint64_t> own, partners;  ///< [types]; partners: of all types that this one has an exception with
  ExceptionMarks() = default;
  explicit ExceptionMarks(const std::vector<char>& exception);  ///< LjRules::exception, not empty
};

}  // namespace uplift
