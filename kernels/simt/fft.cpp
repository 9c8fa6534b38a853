#include <cufft.h>
#include <fftw3.h>

#include <map>
#include <type_traits>
#include <vector>

#include "simt/streams.hpp"

namespace {

struct Plan {
  cufftType type;
  std::vector<int> n;
  int batch, stride, distance;  ///< the latter two of complex transforms, in and out alike
  /// FFTW's. A whole mesh begins where device memory does, on a page, and plans make use of that. Transforms of a batch begin
  /// anywhere, and one plan does them all, so that bits do not depend on how many there are.
  unsigned flags;
  cudaStream_t stream;

  std::size_t reals() const {
    std::size_t all = 1;
    for (int k : n) all *= static_cast<std::size_t>(k);
    return all;
  }
  std::size_t waves() const {
    return reals() / static_cast<std::size_t>(n.back()) * static_cast<std::size_t>(n.back() / 2 + 1);
  }
  template <class T>
  std::size_t length_of(const T*) const {
    return std::is_floating_point_v<T> ? reals() : waves();
  }
  int rank() const { return static_cast<int>(n.size()); }
};
std::map<int, Plan>& plans() {
  static std::map<int, Plan> all;
  return all;
}
cufftHandle remember(Plan plan) {
  const auto lock = simt::alone();
  static int next = 0;
  plans()[++next] = std::move(plan);
  return next;
}

/// FFTW's names for one precision.
template <class T>
struct Fftw;
template <>
struct Fftw<float> {
  using Complex = fftwf_complex;
  static constexpr auto plan_forward = &fftwf_plan_dft_r2c;
  static constexpr auto plan_backward = &fftwf_plan_dft_c2r;
  static constexpr auto plan_complex = &fftwf_plan_dft_1d;
  static constexpr auto forward = &fftwf_execute_dft_r2c;
  static constexpr auto backward = &fftwf_execute_dft_c2r;
  static constexpr auto execute = &fftwf_execute;
  static constexpr auto destroy = &fftwf_destroy_plan;
  static constexpr auto allocate = &fftwf_alloc_complex;
  static constexpr auto release = &fftwf_free;
};
template <>
struct Fftw<double> {
  using Complex = fftw_complex;
  static constexpr auto plan_forward = &fftw_plan_dft_r2c;
  static constexpr auto plan_backward = &fftw_plan_dft_c2r;
  static constexpr auto plan_complex = &fftw_plan_dft_1d;
  static constexpr auto forward = &fftw_execute_dft_r2c;
  static constexpr auto backward = &fftw_execute_dft_c2r;
  static constexpr auto execute = &fftw_execute;
  static constexpr auto destroy = &fftw_destroy_plan;
  static constexpr auto allocate = &fftw_alloc_complex;
  static constexpr auto release = &fftw_free;
};

/// FFTW's plans are made anew for each call: small meshes of tests, and the same bits every time.
template <class F>
cufftResult transform(cufftHandle handle, cufftType type, F&& make_and_run) {
  const auto lock = simt::alone();
  const auto found = plans().find(handle);
  if (found == plans().end()) return CUFFT_INVALID_PLAN;
  if (found->second.type != type) return CUFFT_INVALID_TYPE;
  simt::enqueue(
      found->second.stream, [plan = found->second, make_and_run] { make_and_run(plan); }, true);
  return CUFFT_SUCCESS;
}

/// Each of the batch, from and to wherever the one before ends.
template <class F, class In, class Out, class Make, class Run>
cufftResult batches(cufftHandle plan, cufftType type, In* in, Out* out, Make make, Run run) {
  return transform(plan, type, [=](const Plan& p) {
    simt::checks::read_range(in, static_cast<std::size_t>(p.batch) * p.length_of(in) * sizeof(In));
    simt::checks::write_range(out, static_cast<std::size_t>(p.batch) * p.length_of(out) * sizeof(Out));
    if (std::is_floating_point_v<Out>)  // cuFFT may use it for what lies between
      simt::checks::write_range(in, static_cast<std::size_t>(p.batch) * p.length_of(in) * sizeof(In));
    const auto f = make(p.rank(), p.n.data(), in, out, p.flags);
    for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch); ++b)
      run(f, in + b * p.length_of(in), out + b * p.length_of(out));
    F::destroy(f);
  });
}

template <class T, class Complex>
cufftResult forward(cufftHandle plan, cufftType type, T* in, Complex* out) {
  using F = Fftw<T>;
  return batches<F>(plan, type, in, reinterpret_cast<typename F::Complex*>(out), F::plan_forward, F::forward);
}
template <class T, class Complex>
cufftResult backward(cufftHandle plan, cufftType type, Complex* in, T* out) {
  using F = Fftw<T>;
  return batches<F>(plan, type, reinterpret_cast<typename F::Complex*>(in), out, F::plan_backward, F::backward);
}

/// Complex transforms of elements that lie apart: each through a buffer.
template <class T, class Complex>
cufftResult columns(cufftHandle plan, cufftType type, Complex* in, Complex* out, int direction) {
  using F = Fftw<T>;
  if (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE) return CUFFT_INVALID_VALUE;
  return transform(plan, type, [=](const Plan& p) {
    auto* buffer = F::allocate(p.reals());
    const auto f = F::plan_complex(p.n[0], buffer, buffer, direction == CUFFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, p.flags);
    for (int b = 0; b < p.batch; ++b) {
      const auto place = [&](int k) {
        return static_cast<std::ptrdiff_t>(b) * p.distance + static_cast<std::ptrdiff_t>(k) * p.stride;
      };
      for (int k = 0; k < p.n[0]; ++k) {
        buffer[k][0] = in[place(k)].x;
        buffer[k][1] = in[place(k)].y;
      }
      F::execute(f);
      for (int k = 0; k < p.n[0]; ++k) {
        simt::checks::read_range(&in[place(k)], sizeof(Complex));
        simt::checks::write_range(&out[place(k)], sizeof(Complex));
        out[place(k)] = {buffer[k][0], buffer[k][1]};
      }
    }
    F::destroy(f);
    F::release(buffer);
  });
}

}  // namespace

cufftResult cufftPlan3d(cufftHandle* plan, int nx, int ny, int nz, cufftType type) {
  if (simt::spoils_a_capture()) return CUFFT_ALLOC_FAILED;
  *plan = remember({type, {nx, ny, nz}, 1, 1, 0, FFTW_ESTIMATE, nullptr});
  return CUFFT_SUCCESS;
}
cufftResult cufftPlanMany(cufftHandle* plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed, int ostride,
                          int odist, cufftType type, int batch) {
  const bool complex = type == CUFFT_C2C || type == CUFFT_Z2Z;
  if (rank < 1 || batch < 1) return CUFFT_INVALID_VALUE;
  if (simt::spoils_a_capture()) return CUFFT_ALLOC_FAILED;
  if (complex ? rank != 1 || !inembed || !onembed || istride != ostride || idist != odist
              : inembed != nullptr || onembed != nullptr)
    return CUFFT_INVALID_VALUE;
  *plan = remember({type, {n, n + rank}, batch, istride, idist, FFTW_ESTIMATE | FFTW_UNALIGNED, nullptr});
  return CUFFT_SUCCESS;
}
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
  const auto lock = simt::alone();
  const auto found = plans().find(plan);
  if (found == plans().end()) return CUFFT_INVALID_PLAN;
  found->second.stream = stream;
  return CUFFT_SUCCESS;
}
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* in, cufftComplex* out) { return forward(plan, CUFFT_R2C, in, out); }
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out) {
  return forward(plan, CUFFT_D2Z, in, out);
}
cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* in, cufftReal* out) { return backward(plan, CUFFT_C2R, in, out); }
cufftResult cufftExecZ2D(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleReal* out) {
  return backward(plan, CUFFT_Z2D, in, out);
}
cufftResult cufftExecC2C(cufftHandle plan, cufftComplex* in, cufftComplex* out, int direction) {
  return columns<float>(plan, CUFFT_C2C, in, out, direction);
}
cufftResult cufftExecZ2Z(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleComplex* out, int direction) {
  return columns<double>(plan, CUFFT_Z2Z, in, out, direction);
}
cufftResult cufftDestroy(cufftHandle plan) {
  const auto lock = simt::alone();
  return plans().erase(plan) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}
