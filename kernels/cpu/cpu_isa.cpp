#include "cpu/cpu_isa.hpp"

#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "uplift/core/error.hpp"

namespace uplift::cpu {
namespace {

bool built(Isa isa) {
  switch (isa) {
    case Isa::portable:
#if defined(UPLIFT_HAVE_ISA_PORTABLE)
      return true;
#else
      return false;
#endif
    case Isa::avx2:
#if defined(UPLIFT_HAVE_ISA_AVX2)
      return true;
#else
      return false;
#endif
    case Isa::avx512:
#if defined(UPLIFT_HAVE_ISA_AVX512)
      return true;
#else
      return false;
#endif
  }
  return false;
}

bool supported(Isa isa) {
  __builtin_cpu_init();
  switch (isa) {
    case Isa::portable:
      return __builtin_cpu_supports("sse4.2");
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  }
  return false;
}

Isa choose() {
  const char* given = std::getenv("UPLIFT_ISA");
  const std::string wanted = given ? given : "";
  std::string there;
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::portable}) {
    if (!built(isa) || !supported(isa)) continue;
    if (wanted.empty() || isa_name(isa) == wanted) return isa;
    there += (there.empty() ? "" : ", ") + isa_name(isa);
  }
  if (there.empty()) throw std::runtime_error("this build holds no CPU kernels that this processor can run: rebuild here");
  throw InputError("UPLIFT_ISA=" + wanted + " is not built in or not supported by this processor; here it may be " + there);
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

std::string isa_name(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "?";
}

}  // namespace uplift::cpu
