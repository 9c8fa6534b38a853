#include <cuda/cluster_pairs_kernel.cuh>

namespace uplift::UPLIFT_DEVICE {

template <class real>
void launch_exact_cluster_pairs(CoulombForm form, const ListView<real>& list, const PairParameters<real>& p, ListPart part,
                                Renewal renewal, const SumsView& sums, bool with_energies, Tally tally, cudaStream_t stream) {
  launch_pairs<true>(form, list, p, sums, {renewal, with_energies, tally, part}, stream);
}
template void launch_exact_cluster_pairs<float>(CoulombForm, const ListView<float>&, const PairParameters<float>&, ListPart,
                                                Renewal, const SumsView&, bool, Tally, cudaStream_t);
template void launch_exact_cluster_pairs<double>(CoulombForm, const ListView<double>&, const PairParameters<double>&, ListPart,
                                                 Renewal, const SumsView&, bool, Tally, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE
