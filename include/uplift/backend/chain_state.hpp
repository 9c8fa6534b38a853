#pragma once
// A Nose-Hoover chain as State::chain has it: positions, then velocities; empty before the first step.
#include <algorithm>
#include <vector>

#include "physics/integrate/nose_hoover.hpp"

namespace uplift {

inline physics::NoseHooverChain chain_from(const std::vector<double>& numbers) {
  physics::NoseHooverChain chain;
  if (numbers.size() != 2 * physics::chain_length) return chain;
  std::copy_n(numbers.begin(), physics::chain_length, chain.position.begin());
  std::copy_n(numbers.begin() + physics::chain_length, physics::chain_length, chain.velocity.begin());
  return chain;
}
inline std::vector<double> numbers_of(const physics::NoseHooverChain& chain) {
  std::vector<double> numbers(chain.position.begin(), chain.position.end());
  numbers.insert(numbers.end(), chain.velocity.begin(), chain.velocity.end());
  return numbers;
}

}  // namespace uplift
