#include <cufft.h>
#include <fftw3.h>

#include <map>
#include <vector>

#include "simt/runtime.hpp"

namespace {

struct Plan {
  cufftType type;
  std::vector<int> n;
  int batch, stride, distance;  ///< the latter two of complex transforms, in and out alike
  cudaStream_t stream;

  std::size_t reals() const {
    std::size_t all = 1;
    for (int k : n) all *= static_cast<std::size_t>(k);
    return all;
  }
  std::size_t waves() const {
    return reals() / static_cast<std::size_t>(n.back()) * static_cast<std::size_t>(n.back() / 2 + 1);
  }
  int rank() const { return static_cast<int>(n.size()); }
};
std::map<int, Plan>& plans() {
  static std::map<int, Plan> all;
  return all;
}
cufftHandle remember(Plan plan) {
  static int next = 0;
  plans()[++next] = std::move(plan);
  return next;
}

/// Plans are made anew for each call: small meshes of tests, and the same bits every time. Of a batch all transforms are done
/// by the same plan, wherever their numbers are, so that bits do not depend on how many there are.
template <class F>
cufftResult transform(cufftHandle handle, cufftType type, F&& make_and_run) {
  const auto found = plans().find(handle);
  if (found == plans().end()) return CUFFT_INVALID_PLAN;
  if (found->second.type != type) return CUFFT_INVALID_TYPE;
  simt::enqueue(
      found->second.stream, [plan = found->second, make_and_run] { make_and_run(plan); }, true);
  return CUFFT_SUCCESS;
}
constexpr unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;

/// Complex transforms of elements that lie apart: each through a buffer.
template <class Number, class Complex, class Execute>
void columns(const Plan& p, const Complex* in, Complex* out, Number* buffer, Execute&& execute) {
  for (int b = 0; b < p.batch; ++b) {
    const auto place = [&](int k) {
      return static_cast<std::ptrdiff_t>(b) * p.distance + static_cast<std::ptrdiff_t>(k) * p.stride;
    };
    for (int k = 0; k < p.n[0]; ++k) {
      buffer[k][0] = in[place(k)].x;
      buffer[k][1] = in[place(k)].y;
    }
    execute();
    for (int k = 0; k < p.n[0]; ++k) out[place(k)] = {buffer[k][0], buffer[k][1]};
  }
}

}  // namespace

cufftResult cufftPlan3d(cufftHandle* plan, int nx, int ny, int nz, cufftType type) {
  *plan = remember({type, {nx, ny, nz}, 1, 1, 0, nullptr});
  return CUFFT_SUCCESS;
}
cufftResult cufftPlanMany(cufftHandle* plan, int rank, int* n, int* inembed, int istride, int idist, int* onembed, int ostride,
                          int odist, cufftType type, int batch) {
  const bool complex = type == CUFFT_C2C || type == CUFFT_Z2Z;
  if (rank < 1 || batch < 1) return CUFFT_INVALID_VALUE;
  if (complex ? rank != 1 || !inembed || !onembed || istride != ostride || idist != odist
              : inembed != nullptr || onembed != nullptr)
    return CUFFT_INVALID_VALUE;
  *plan = remember({type, {n, n + rank}, batch, istride, idist, nullptr});
  return CUFFT_SUCCESS;
}
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
  const auto found = plans().find(plan);
  if (found == plans().end()) return CUFFT_INVALID_PLAN;
  found->second.stream = stream;
  return CUFFT_SUCCESS;
}
cufftResult cufftExecR2C(cufftHandle plan, cufftReal* in, cufftComplex* out) {
  return transform(plan, CUFFT_R2C, [=](const Plan& p) {
    auto* waves = reinterpret_cast<fftwf_complex*>(out);
    fftwf_plan f = fftwf_plan_dft_r2c(p.rank(), p.n.data(), in, waves, flags);
    for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch); ++b)
      fftwf_execute_dft_r2c(f, in + b * p.reals(), waves + b * p.waves());
    fftwf_destroy_plan(f);
  });
}
cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* in, cufftReal* out) {
  return transform(plan, CUFFT_C2R, [=](const Plan& p) {
    auto* waves = reinterpret_cast<fftwf_complex*>(in);
    fftwf_plan f = fftwf_plan_dft_c2r(p.rank(), p.n.data(), waves, out, flags);
    for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch); ++b)
      fftwf_execute_dft_c2r(f, waves + b * p.waves(), out + b * p.reals());
    fftwf_destroy_plan(f);
  });
}
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out) {
  return transform(plan, CUFFT_D2Z, [=](const Plan& p) {
    auto* waves = reinterpret_cast<fftw_complex*>(out);
    fftw_plan f = fftw_plan_dft_r2c(p.rank(), p.n.data(), in, waves, flags);
    for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch); ++b)
      fftw_execute_dft_r2c(f, in + b * p.reals(), waves + b * p.waves());
    fftw_destroy_plan(f);
  });
}
cufftResult cufftExecZ2D(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleReal* out) {
  return transform(plan, CUFFT_Z2D, [=](const Plan& p) {
    auto* waves = reinterpret_cast<fftw_complex*>(in);
    fftw_plan f = fftw_plan_dft_c2r(p.rank(), p.n.data(), waves, out, flags);
    for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch); ++b)
      fftw_execute_dft_c2r(f, waves + b * p.waves(), out + b * p.reals());
    fftw_destroy_plan(f);
  });
}
cufftResult cufftExecC2C(cufftHandle plan, cufftComplex* in, cufftComplex* out, int direction) {
  if (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE) return CUFFT_INVALID_VALUE;
  return transform(plan, CUFFT_C2C, [=](const Plan& p) {
    fftwf_complex* buffer = fftwf_alloc_complex(p.reals());
    fftwf_plan f = fftwf_plan_dft_1d(p.n[0], buffer, buffer, direction == CUFFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, flags);
    columns(p, in, out, buffer, [&] { fftwf_execute(f); });
    fftwf_destroy_plan(f);
    fftwf_free(buffer);
  });
}
cufftResult cufftExecZ2Z(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleComplex* out, int direction) {
  if (direction != CUFFT_FORWARD && direction != CUFFT_INVERSE) return CUFFT_INVALID_VALUE;
  return transform(plan, CUFFT_Z2Z, [=](const Plan& p) {
    fftw_complex* buffer = fftw_alloc_complex(p.reals());
    fftw_plan f = fftw_plan_dft_1d(p.n[0], buffer, buffer, direction == CUFFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, flags);
    columns(p, in, out, buffer, [&] { fftw_execute(f); });
    fftw_destroy_plan(f);
    fftw_free(buffer);
  });
}
cufftResult cufftDestroy(cufftHandle plan) { return plans().erase(plan) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN; }
