#pragma once
// UPLIFT_HD marks what host and device share. Always inlined: SIMD kernels are compiled once per instruction set, and a shared
// out-of-line copy of an inline function would let AVX-512 code escape into the portable build.
#if defined(__CUDACC__)
#define UPLIFT_HD __host__ __device__ __forceinline__
#define UPLIFT_UNROLL _Pragma("unroll")
#else
#define UPLIFT_UNROLL _Pragma("GCC unroll 8")
#define UPLIFT_HD inline __attribute__((always_inline))
#endif
