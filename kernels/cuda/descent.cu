#include <cuda/adding.cuh>
#include <cuda/descent.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

/// Raises a number that is not negative to `value`, of every lane. A number that is none is the largest of all.
__device__ void raise(unsigned long long* largest, double value) {
  auto bits = static_cast<unsigned long long>(__double_as_longlong(value));
  for (unsigned offset = warp_lanes / 2; offset > 0; offset /= 2) {
    const unsigned long long other = __shfl_down_sync(all_lanes, bits, offset);
    bits = other > bits ? other : bits;
  }
  if (threadIdx.x % warp_lanes == 0) atomicMax(largest, bits);
}
__device__ double value_of(unsigned long long bits) { return __longlong_as_double(static_cast<long long>(bits)); }

__global__ void __launch_bounds__(block_threads) set_out_kernel(AtomsView atoms, DescentView d, double factor) {
  const int i = thread_number();
  if (i >= atoms.count) return;
  atoms.x[i] = d.best[i];
  atoms.v[i] = factor * d.direction[i];
}

__global__ void __launch_bounds__(block_threads)
    accelerate_kernel(AtomsView atoms, LevelsView levels, const Shared* shared, DescentMaxima* maxima) {
  const int i = thread_number();
  Vec3d f{0, 0, 0}, a{0, 0, 0};
  if (i < atoms.count) {
    f = force_of(levels, shared, i);
    atoms.v[i] = a = atoms.inverse_mass[i] * f;
  }
  raise(&maxima->worst, dot(f, f));
  raise(&maxima->acceleration, dot(a, a));
}

/// What the largest acceleration is divided by.
__device__ double unit(const DescentMaxima* maxima) {
  const double squared = value_of(maxima->acceleration);
  return squared > 0 ? std::sqrt(squared) : 1;
}

__global__ void __launch_bounds__(block_threads) to_ordinary_size_kernel(AtomsView atoms, const DescentMaxima* maxima) {
  const int i = thread_number();
  if (i < atoms.count) atoms.v[i] = (1 / unit(maxima)) * atoms.v[i];
}

__device__ void put(float* to, int i, const Vec3d& r) {
  to += 3 * static_cast<std::ptrdiff_t>(i);
  to[0] = static_cast<float>(r.x);
  to[1] = static_cast<float>(r.y);
  to[2] = static_cast<float>(r.z);
}

__global__ void __launch_bounds__(block_threads)
    note_attempt_kernel(AtomsView atoms, DescentView d, float* step, float* change, DescentMaxima* maxima) {
  const int i = thread_number();
  double largest = 0;
  if (i < atoms.count) {
    const double m = atoms.mass[i];
    const Vec3d f = (m * unit(maxima)) * atoms.v[i];
    d.next_force[i] = f;
    put(step, i, m > 0 ? atoms.x[i] - d.best[i] : Vec3d{0, 0, 0});
    put(change, i, d.force[i] - f);  // gradients are minus the forces
    largest = fmax(fmax(std::abs(f.x), std::abs(f.y)), std::abs(f.z));
  }
  raise(&maxima->force, largest);
}

/// One block: one vector of a slot (or the force, the last), and one part of the atoms' numbers.
__global__ void __launch_bounds__(block_threads)
    products_kernel(int numbers, DescentView d, DescentSlots slots, double* parts) {
  UPLIFT_SHARED(double[3][block_threads], sums);
  const int vectors = 2 * slots.count + 1, part = static_cast<int>(blockIdx.x) % descent_parts,
            which = static_cast<int>(blockIdx.x) / descent_parts;
  const auto of_slot = [&](const float* all, int n) { return all + static_cast<std::ptrdiff_t>(slots.slot[n]) * numbers; };
  const float *step = of_slot(d.step, slots.count - 1), *change = of_slot(d.change, slots.count - 1);
  const double* force = &d.next_force[0].x;
  const float* with = which >= 2 * slots.count ? nullptr
                      : which < slots.count    ? of_slot(d.step, which)
                                               : of_slot(d.change, which - slots.count);
  double sum[3] = {0, 0, 0};
  for (int i = part * static_cast<int>(block_threads) + static_cast<int>(threadIdx.x); i < numbers;
       i += descent_parts * static_cast<int>(block_threads)) {
    const double f = force[i], b = with ? static_cast<double>(with[i]) : f;
    sum[0] += static_cast<double>(step[i]) * b;
    sum[1] += static_cast<double>(change[i]) * b;
    sum[2] += f * b;
  }
  for (int k = 0; k < 3; ++k) sums[k][threadIdx.x] = sum[k];
  for (unsigned half = block_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      for (int k = 0; k < 3; ++k) sums[k][threadIdx.x] += sums[k][threadIdx.x + half];
  }
  if (threadIdx.x == 0)
    for (int k = 0; k < 3; ++k) parts[(part * 3 + k) * vectors + which] = sums[k][0];
}

__global__ void __launch_bounds__(block_threads) add_parts_kernel(int count, const double* parts, double* products) {
  const int n = thread_number();
  if (n >= count) return;
  double sum = 0;
  for (int part = 0; part < descent_parts; ++part) sum += parts[part * count + n];
  products[n] = sum;
}

__global__ void __launch_bounds__(block_threads)
    aim_kernel(int atoms, DescentView d, Descent::Row weights, DescentMaxima* maxima) {
  const int i = thread_number();
  Vec3d sum{0, 0, 0};
  if (i < atoms) {
    sum = weights[Descent::force_vector] * d.force[i];
    for (int slot = 0; slot < Descent::slots; ++slot)
      for (int kind = 0; kind < 2; ++kind) {
        const double weight = weights[kind == 0 ? Descent::step_of(slot) : Descent::change_of(slot)];
        if (weight == 0) continue;
        const float* from = (kind == 0 ? d.step : d.change) + 3 * (static_cast<std::ptrdiff_t>(slot) * atoms + i);
        sum += weight * Vec3d{static_cast<double>(from[0]), static_cast<double>(from[1]), static_cast<double>(from[2])};
      }
    d.direction[i] = sum;
  }
  raise(&maxima->direction, dot(sum, sum));
}

}  // namespace

void launch_set_out(const AtomsView& atoms, const DescentView& d, double factor, cudaStream_t stream) {
  UPLIFT_LAUNCH(set_out_kernel, cuda::cover(atoms.count, block_threads), stream, atoms, d, factor);
}

void launch_accelerate(const AtomsView& atoms, const LevelsView& levels, const Shared* shared, DescentMaxima* maxima,
                       cudaStream_t stream) {
  const cuda::LaunchShape shape = cuda::cover(atoms.count, block_threads);
  UPLIFT_LAUNCH(accelerate_kernel, shape, stream, atoms, levels, shared, maxima);
  UPLIFT_LAUNCH(to_ordinary_size_kernel, shape, stream, atoms, maxima);
}

void launch_note_attempt(const AtomsView& atoms, const DescentView& d, int slot, DescentMaxima* maxima, cudaStream_t stream) {
  const std::ptrdiff_t at = 3 * static_cast<std::ptrdiff_t>(slot) * atoms.count;
  UPLIFT_LAUNCH(note_attempt_kernel, cuda::cover(atoms.count, block_threads), stream, atoms, d, d.step + at, d.change + at,
                maxima);
}

void launch_products(int atoms, const DescentView& d, const DescentSlots& slots, double* parts, double* products,
                     cudaStream_t stream) {
  const int vectors = 2 * slots.count + 1;
  UPLIFT_LAUNCH(products_kernel, (cuda::LaunchShape{static_cast<unsigned>(descent_parts * vectors), block_threads}), stream,
                3 * atoms, d, slots, parts);
  UPLIFT_LAUNCH(add_parts_kernel, cuda::cover(3 * vectors, block_threads), stream, 3 * vectors, parts, products);
}

void launch_aim(int atoms, const DescentView& d, const Descent::Row& weights, DescentMaxima* maxima, cudaStream_t stream) {
  UPLIFT_LAUNCH(aim_kernel, cuda::cover(atoms, block_threads), stream, atoms, d, weights, maxima);
}

}  // namespace uplift::UPLIFT_DEVICE
