#pragma once
// Real-to-complex transforms of a mesh, cut into planes (y and z) and blocks of rows (x) that our own threads run. Plans come
// from FFTW's estimates: measured plans differ from run to run, and so would the last bits.
#include <complex>
#include <cstddef>
#include <memory>

namespace uplift::cpu {

/// Plans for a mesh [nx][ny][nz] of T. Rows of the real planes are `row` elements apart. All buffers must be 64-byte aligned.
template <class T>
class MeshFft {
 public:
  MeshFft(int nx, int ny, int nz, std::size_t row);
  ~MeshFft();
  MeshFft(const MeshFft&) = delete;
  MeshFft& operator=(const MeshFft&) = delete;

  int half() const { return half_; }            ///< complex points along z: nz/2 + 1
  std::size_t plane() const { return plane_; }  ///< complex elements to reserve for one plane [ny][half]

  /// One plane: real [ny][row] to [ny][half]. The input is overwritten.
  void plane_forward(T* real, std::complex<T>* out) const;
  void plane_backward(std::complex<T>* in, T* real) const;
  /// One y: [nx][half] along x, in place.
  void rows_forward(std::complex<T>* rows) const;
  void rows_backward(std::complex<T>* rows) const;

 private:
  struct Plans;
  int half_;
  std::size_t plane_;
  std::unique_ptr<Plans> plans_;
};

}  // namespace uplift::cpu
