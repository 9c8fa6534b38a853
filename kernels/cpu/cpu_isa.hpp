#pragma once
// Which of the SIMD variants to run. Each kernel family exports a table of function pointers from its *.isa.cpp, once a
// variant:
//
//   // pair.isa.cpp            namespace uplift::cpu::UPLIFT_ISA { extern const PairKernels pair_kernels; const PairKernels
//   pair_kernels{...}; }
//   // pair_kernels.hpp        UPLIFT_DECLARE_KERNELS(PairKernels, pair_kernels)
//   // pair_kernels.cpp        UPLIFT_SELECT_KERNELS(PairKernels, pair_kernels)   defines: const PairKernels&
//   select_pair_kernels();
#include <string>

namespace uplift::cpu {

enum class Isa { portable, avx2, avx512 };

/// The best variant that is both built in and supported by this machine; UPLIFT_ISA=portable|avx2|avx512 in the environment
/// chooses a lower one (for tests and comparisons). Throws std::runtime_error when none fits.
Isa active_isa();
std::string isa_name(Isa isa);

}  // namespace uplift::cpu

#define UPLIFT_DECLARE_KERNELS(Table, name) \
  namespace uplift::cpu {                   \
  namespace isa_portable {                  \
  extern const Table name;                  \
  }                                         \
  namespace isa_avx2 {                      \
  extern const Table name;                  \
  }                                         \
  namespace isa_avx512 {                    \
  extern const Table name;                  \
  }                                         \
  const Table& select_##name();             \
  }

#if defined(UPLIFT_HAVE_ISA_PORTABLE)
#define UPLIFT_CASE_PORTABLE_(name) \
  case Isa::portable:               \
    return isa_portable::name;
#else
#define UPLIFT_CASE_PORTABLE_(name)
#endif
#if defined(UPLIFT_HAVE_ISA_AVX2)
#define UPLIFT_CASE_AVX2_(name) \
  case Isa::avx2:               \
    return isa_avx2::name;
#else
#define UPLIFT_CASE_AVX2_(name)
#endif
#if defined(UPLIFT_HAVE_ISA_AVX512)
#define UPLIFT_CASE_AVX512_(name) \
  case Isa::avx512:               \
    return isa_avx512::name;
#else
#define UPLIFT_CASE_AVX512_(name)
#endif

#define UPLIFT_SELECT_KERNELS(Table, name)                             \
  namespace uplift::cpu {                                              \
  const Table& select_##name() {                                       \
    switch (active_isa()) {                                            \
      UPLIFT_CASE_PORTABLE_(name)                                      \
      UPLIFT_CASE_AVX2_(name)                                          \
      UPLIFT_CASE_AVX512_(name)                                        \
      default:                                                         \
        break;                                                         \
    }                                                                  \
    throw std::runtime_error("no CPU kernels built for this machine"); \
  }                                                                    \
  }
