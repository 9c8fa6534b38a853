#pragma once
// Which ranks transform the PME mesh of a system that they share.

namespace uplift {

/// `transforming` of `ranks` have as many planes of x, and as many rows of y, each; evenly spaced among the others, who have
/// none. The fewer there are, the fewer and longer are the messages of a transpose. No bit of a result depends on it.
struct MeshShare {
  int ranks = 1, transforming = 1;

  /// The first of `points` planes (rows) that a rank has: up to the first of the next.
  int first(int points, int rank) const { return points * (rank * transforming / ranks) / transforming; }
  int count(int points, int rank) const { return first(points, rank + 1) - first(points, rank); }

  bool operator==(const MeshShare&) const = default;
};

}  // namespace uplift
