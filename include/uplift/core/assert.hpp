#pragma once
// EXPECT: a precondition; ASSERT: an invariant; ENSURE: a postcondition. They are for our own mistakes and throw
// std::logic_error. VALIDATE(condition, message) is for the user's: it throws InputError. Messages read "problem (why)
// suggestion".
#include <stdexcept>
#include <string>

#include "uplift/core/error.hpp"

namespace uplift::detail {
[[noreturn]] inline void assertion_failed(const char* kind, const char* condition, const char* file, int line) {
  throw std::logic_error(std::string(kind) + " failed: " + condition + " at " + file + ":" + std::to_string(line) +
                         " (a bug in uplift; please report it)");
}
}  // namespace uplift::detail

#define UPLIFT_CHECK_(kind, condition) \
  ((condition) ? static_cast<void>(0) : ::uplift::detail::assertion_failed(kind, #condition, __FILE__, __LINE__))
#define UPLIFT_EXPECT(condition) UPLIFT_CHECK_("EXPECT", condition)
#define UPLIFT_ASSERT(condition) UPLIFT_CHECK_("ASSERT", condition)
#define UPLIFT_ENSURE(condition) UPLIFT_CHECK_("ENSURE", condition)
#define UPLIFT_VALIDATE(condition, message)                \
  do {                                                     \
    if (!(condition)) throw ::uplift::InputError(message); \
  } while (false)
