#pragma once
// Sites of the pair list put where atoms are now, and how far these have moved since it was made: by a kernel of its own
// (sort_atoms.cu), or by the one that moves atoms (moves.cu), with the same bits (place_site.cuh).
#include <cuda/pair_list.cuh>

namespace uplift::UPLIFT_DEVICE {

template <class real>
struct Placing {
  BoxView box;
  real unit[6];                                   ///< PairParameters::a
  const int* slot_of_atom;                        ///< [atoms]; -1: not listed
  const PairSite<real>*list_sites, *prune_sites;  ///< [slots] when listed, when pruned
  PairSite<real>* sites;                          ///< [slots] now
  ListState* state;
};

}  // namespace uplift::UPLIFT_DEVICE
