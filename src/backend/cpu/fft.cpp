#include "fft.hpp"

#include <fftw3.h>

#include <mutex>
#include <type_traits>

#include "uplift/core/error.hpp"
#include "uplift/data/buffer.hpp"

namespace uplift::cpu {
namespace {

// FFTW's two libraries under one set of names.
template <class T>
struct Fftw;

#define UPLIFT_FFTW(T, prefix)                                        \
  template <>                                                         \
  struct Fftw<T> {                                                    \
    using Plan = prefix##_plan;                                       \
    using Complex = prefix##_complex;                                 \
    static constexpr auto plan_forward = prefix##_plan_many_dft_r2c;  \
    static constexpr auto plan_backward = prefix##_plan_many_dft_c2r; \
    static constexpr auto plan_complex = prefix##_plan_many_dft;      \
    static constexpr auto run_forward = prefix##_execute_dft_r2c;     \
    static constexpr auto run_backward = prefix##_execute_dft_c2r;    \
    static constexpr auto run_complex = prefix##_execute_dft;         \
    static constexpr auto destroy = prefix##_destroy_plan;            \
  };
UPLIFT_FFTW(float, fftwf)
UPLIFT_FFTW(double, fftw)
#undef UPLIFT_FFTW

std::mutex& planner() {  // FFTW's planner, unlike its transforms, is not safe to call from several threads
  static std::mutex mutex;
  return mutex;
}

template <class T>
typename Fftw<T>::Complex* fftw(std::complex<T>* p) {
  return reinterpret_cast<typename Fftw<T>::Complex*>(p);
}

}  // namespace

template <class T>
struct MeshFft<T>::Plans {
  typename Fftw<T>::Plan plane_forward = nullptr, plane_backward = nullptr, rows_forward = nullptr, rows_backward = nullptr;
  ~Plans() {
    const std::lock_guard lock(planner());
    for (auto plan : {plane_forward, plane_backward, rows_forward, rows_backward})
      if (plan) Fftw<T>::destroy(plan);
  }
};

template <class T>
MeshFft<T>::MeshFft(int nx, int ny, int nz, std::size_t row)
    : half_(nz / 2 + 1),
      plane_((static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz / 2 + 1) + 31) / 16 * 16),
      plans_(std::make_unique<Plans>()) {
  Buffer<T> real(static_cast<std::size_t>(ny) * row);
  Buffer<T> rows(2 * (plane_ + static_cast<std::size_t>(nx) * static_cast<std::size_t>(half_)));
  auto* complex = reinterpret_cast<typename Fftw<T>::Complex*>(rows.data());
  const int n[2] = {ny, nz}, real_shape[2] = {ny, static_cast<int>(row)}, complex_shape[2] = {ny, half_};
  const std::lock_guard lock(planner());
  plans_->plane_forward =
      Fftw<T>::plan_forward(2, n, 1, real.data(), real_shape, 1, 0, complex, complex_shape, 1, 0, FFTW_ESTIMATE);
  plans_->plane_backward =
      Fftw<T>::plan_backward(2, n, 1, complex, complex_shape, 1, 0, real.data(), real_shape, 1, 0, FFTW_ESTIMATE);
  plans_->rows_forward =
      Fftw<T>::plan_complex(1, &nx, half_, complex, nullptr, half_, 1, complex, nullptr, half_, 1, FFTW_FORWARD, FFTW_ESTIMATE);
  plans_->rows_backward = Fftw<T>::plan_complex(1, &nx, half_, complex, nullptr, half_, 1, complex, nullptr, half_, 1,
                                                FFTW_BACKWARD, FFTW_ESTIMATE);
  if (!(plans_->plane_forward && plans_->plane_backward && plans_->rows_forward && plans_->rows_backward))
    throw SimulationError("FFTW could not plan the PME transforms of this grid; choose another forces.pme.grid");
}

template <class T>
MeshFft<T>::~MeshFft() = default;

template <class T>
void MeshFft<T>::plane_forward(T* real, std::complex<T>* out) const {
  Fftw<T>::run_forward(plans_->plane_forward, real, fftw(out));
}
template <class T>
void MeshFft<T>::plane_backward(std::complex<T>* in, T* real) const {
  Fftw<T>::run_backward(plans_->plane_backward, fftw(in), real);
}
template <class T>
void MeshFft<T>::rows_forward(std::complex<T>* rows) const {
  Fftw<T>::run_complex(plans_->rows_forward, fftw(rows), fftw(rows));
}
template <class T>
void MeshFft<T>::rows_backward(std::complex<T>* rows) const {
  Fftw<T>::run_complex(plans_->rows_backward, fftw(rows), fftw(rows));
}

template class MeshFft<float>;
template class MeshFft<double>;

}  // namespace uplift::cpu
