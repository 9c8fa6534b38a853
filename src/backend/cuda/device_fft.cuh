#pragma once
// cuFFT plans with one owner, for either precision.
#include <cufft.h>

#include <string>
#include <type_traits>

#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {

template <class T>
class FftPlan {
  static constexpr bool single = sizeof(T) == 4;

 public:
  using Complex = std::conditional_t<single, float2, double2>;

  FftPlan() = default;
  ~FftPlan() {
    if (made_) cufftDestroy(plan_);
  }
  FftPlan(const FftPlan&) = delete;
  FftPlan& operator=(const FftPlan&) = delete;

  /// Numbers [nx][ny][nz] to waves [nx][ny][nz/2 + 1], and back.
  void make_forward(int nx, int ny, int nz, cudaStream_t stream) {
    took(cufftPlan3d(&plan_, nx, ny, nz, single ? CUFFT_R2C : CUFFT_D2Z), stream);
  }
  void make_backward(int nx, int ny, int nz, cudaStream_t stream) {
    took(cufftPlan3d(&plan_, nx, ny, nz, single ? CUFFT_C2R : CUFFT_Z2D), stream);
  }
  /// The same for each of some planes [ny][nz].
  void make_planes_forward(int planes, int ny, int nz, cudaStream_t stream) {
    make_planes(planes, ny, nz, single ? CUFFT_R2C : CUFFT_D2Z, stream);
  }
  void make_planes_backward(int planes, int ny, int nz, cudaStream_t stream) {
    make_planes(planes, ny, nz, single ? CUFFT_C2R : CUFFT_Z2D, stream);
  }
  /// Waves [nx][columns] along x, in place.
  void make_columns(int nx, int columns, cudaStream_t stream) {
    int n[1] = {nx};
    took(cufftPlanMany(&plan_, 1, n, n, columns, 1, n, columns, 1, single ? CUFFT_C2C : CUFFT_Z2Z, columns), stream);
  }

  void forward(T* in, Complex* out) const {
    if constexpr (single)
      check_fft(cufftExecR2C(plan_, in, out), "FFT");
    else
      check_fft(cufftExecD2Z(plan_, in, out), "FFT");
  }
  void backward(Complex* in, T* out) const {
    if constexpr (single)
      check_fft(cufftExecC2R(plan_, in, out), "FFT");
    else
      check_fft(cufftExecZ2D(plan_, in, out), "FFT");
  }
  void along_columns(Complex* waves, int direction) const {
    if constexpr (single)
      check_fft(cufftExecC2C(plan_, waves, waves, direction), "FFT");
    else
      check_fft(cufftExecZ2Z(plan_, waves, waves, direction), "FFT");
  }

 private:
  static void check_fft(cufftResult result, const char* what) {
    if (result != CUFFT_SUCCESS)
      throw SimulationError(std::string(what) + ": cuFFT error " + std::to_string(result) + " (is the GPU's memory full?)");
  }
  void make_planes(int planes, int ny, int nz, cufftType type, cudaStream_t stream) {
    int n[2] = {ny, nz};
    took(cufftPlanMany(&plan_, 2, n, nullptr, 1, 0, nullptr, 1, 0, type, planes), stream);
  }
  void took(cufftResult result, cudaStream_t stream) {
    check_fft(result, "make an FFT plan");
    made_ = true;
    check_fft(cufftSetStream(plan_, stream), "FFT stream");
  }

  cufftHandle plan_ = 0;
  bool made_ = false;
};

}  // namespace uplift::UPLIFT_DEVICE
