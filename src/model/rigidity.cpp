#include "model/rigidity.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace uplift {
namespace {

constexpr std::size_t most_atoms = 100;  // of a group: the work grows with their cube
constexpr double nothing = 1e-8;         // of a row whose length was about 1: rounding leaves 1e-13

using Pair = std::pair<int, int>;

/// Atoms that pairs hold together, by the least of them.
class Groups {
 public:
  explicit Groups(std::span<const Pair> held) {
    for (const auto& [i, j] : held) {
      const int a = find(i), b = find(j);
      root_[std::max(a, b)] = std::min(a, b);
    }
  }
  int find(int i) {
    root_.try_emplace(i, i);
    while (root_[i] != i) i = root_[i] = root_[root_[i]];
    return i;
  }

 private:
  std::map<int, int> root_;
};

/// The distances of a group, by the directions in which each may not change: rows of the rigidity matrix, made orthogonal one
/// after another (Gram and Schmidt, twice for the sake of rounding). One of which nothing is left depends on those before.
std::vector<char> dependent(std::span<const Pair> held, std::span<const std::size_t> chosen) {
  std::map<int, std::size_t> place;
  for (const std::size_t k : chosen)
    for (const int i : {held[k].first, held[k].second}) place.try_emplace(i, place.size());
  std::vector<double> x(3 * place.size());
  std::minstd_rand random;  // general positions: those of the molecule may be more symmetric
  for (double& one : x) one = static_cast<double>(random()) / static_cast<double>(std::minstd_rand::max());

  std::vector<std::vector<double>> rows;
  std::vector<char> depends;
  for (const std::size_t k : chosen) {
    std::vector<double> row(x.size(), 0.0);
    const std::size_t i = 3 * place[held[k].first], j = 3 * place[held[k].second];
    for (std::size_t d = 0; d < 3; ++d) {
      row[i + d] = x[i + d] - x[j + d];
      row[j + d] = -row[i + d];
    }
    const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
      double sum = 0;
      for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
      return sum;
    };
    const double before = std::sqrt(product(row, row));
    for (int turn = 0; turn < 2; ++turn)
      for (const auto& other : rows) {
        const double along = product(row, other);
        for (std::size_t c = 0; c < row.size(); ++c) row[c] -= along * other[c];
      }
    const double length = std::sqrt(product(row, row));
    depends.push_back(length < nothing * before);
    if (depends.back()) continue;
    for (double& one : row) one /= length;
    rows.push_back(std::move(row));
  }
  return depends;
}

}  // namespace

std::vector<char> follows_from_others(std::span<const Pair> held) {
  Groups groups(held);
  std::map<int, std::vector<std::size_t>> of_group;
  for (std::size_t k = 0; k < held.size(); ++k) of_group[groups.find(held[k].first)].push_back(k);
  std::vector<char> follows(held.size(), 0);
  for (const auto& [first, chosen] : of_group) {
    if (chosen.size() < 10) continue;  // five atoms are the fewest that can have too many
    std::map<int, int> atoms;
    for (const std::size_t k : chosen) atoms[held[k].first] = atoms[held[k].second] = 1;
    if (atoms.size() > most_atoms || chosen.size() <= 3 * atoms.size() - 6) continue;
    const std::vector<char> depends = dependent(held, chosen);
    for (std::size_t n = 0; n < chosen.size(); ++n) follows[chosen[n]] = depends[n];
  }
  return follows;
}

}  // namespace uplift
