#include <cufft.h>
#include <fftw3.h>

#include <map>

#include "simt/runtime.hpp"

namespace {

struct Plan {
  cufftType type;
  int nx, ny, nz;
  cudaStream_t stream;
};
std::map<int, Plan>& plans() {
  static std::map<int, Plan> all;
  return all;
}

/// Plans are made anew for each transform: small meshes of tests, and the same bits every time.
template <class F>
cufftResult transform(cufftHandle handle, cufftType type, F&& make_and_run) {
  const auto found = plans().find(handle);
  if (found == plans().end()) return CUFFT_INVALID_PLAN;
  if (found->second.type != type) return CUFFT_INVALID_TYPE;
  simt::enqueue(
      found->second.stream, [plan = found->second, make_and_run] { make_and_run(plan); }, true);
  return CUFFT_SUCCESS;
}

}  // namespace

cufftResult cufftPlan3d(cufftHandle* plan, int nx, int ny, int nz, cufftType type) {
  static int next = 0;
  plans()[*plan = ++next] = {type, nx, ny, nz, nullptr};
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
    fftwf_plan f = fftwf_plan_dft_r2c_3d(p.nx, p.ny, p.nz, in, reinterpret_cast<fftwf_complex*>(out), FFTW_ESTIMATE);
    fftwf_execute(f);
    fftwf_destroy_plan(f);
  });
}
cufftResult cufftExecC2R(cufftHandle plan, cufftComplex* in, cufftReal* out) {
  return transform(plan, CUFFT_C2R, [=](const Plan& p) {
    fftwf_plan f = fftwf_plan_dft_c2r_3d(p.nx, p.ny, p.nz, reinterpret_cast<fftwf_complex*>(in), out, FFTW_ESTIMATE);
    fftwf_execute(f);
    fftwf_destroy_plan(f);
  });
}
cufftResult cufftExecD2Z(cufftHandle plan, cufftDoubleReal* in, cufftDoubleComplex* out) {
  return transform(plan, CUFFT_D2Z, [=](const Plan& p) {
    fftw_plan f = fftw_plan_dft_r2c_3d(p.nx, p.ny, p.nz, in, reinterpret_cast<fftw_complex*>(out), FFTW_ESTIMATE);
    fftw_execute(f);
    fftw_destroy_plan(f);
  });
}
cufftResult cufftExecZ2D(cufftHandle plan, cufftDoubleComplex* in, cufftDoubleReal* out) {
  return transform(plan, CUFFT_Z2D, [=](const Plan& p) {
    fftw_plan f = fftw_plan_dft_c2r_3d(p.nx, p.ny, p.nz, reinterpret_cast<fftw_complex*>(in), out, FFTW_ESTIMATE);
    fftw_execute(f);
    fftw_destroy_plan(f);
  });
}
cufftResult cufftDestroy(cufftHandle plan) { return plans().erase(plan) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN; }
