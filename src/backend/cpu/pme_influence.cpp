#include "pme_influence.hpp"

#include <utility>

#include "uplift/backend/mesh_waves.hpp"
#include "uplift/backend/pme_setup.hpp"

namespace uplift::cpu {

template <class T>
InfluenceTable<T>::InfluenceTable(const PmeParameters& pme)
    : pme_(pme), block_(static_cast<std::size_t>(pme.grid[0]) * static_cast<std::size_t>(pme.grid[2] / 2 + 1)) {
  for (std::size_t d = 0; d < 3; ++d) moduli_[d] = spline_moduli(pme.order, pme.grid[d]);
}

template <class T>
void InfluenceTable<T>::set_box(const Box& box, const Threads& threads) {
  waves_ = mesh_waves(box, pme_, {moduli_[0].data(), moduli_[1].data(), moduli_[2].data()});
  std::swap(table_, table_before_);
  std::swap(box_, box_before_);
  if (box == box_) return;
  box_ = box;
  if (table_.empty()) table_.resize(block_ * static_cast<std::size_t>(pme_.grid[1]));
  const int half = pme_.grid[2] / 2 + 1;
  threads.for_each(pme_.grid[1], [&](int ky, int) {
    T* out = table_.data() + static_cast<std::size_t>(ky) * block_;
    for (int kx = 0; kx < pme_.grid[0]; ++kx)
      for (int kz = 0; kz < half; ++kz) *out++ = static_cast<T>(waves_.influence(kx, ky, kz));
  });
}

template class InfluenceTable<float>;
template class InfluenceTable<double>;

}  // namespace uplift::cpu
