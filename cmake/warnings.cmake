# One interface target carries the warning flags and the include root, so that no library can forget them.
add_library(uplift_flags INTERFACE)
set(roots ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/kernels)
target_include_directories(uplift_flags INTERFACE "$<BUILD_INTERFACE:${roots}>" $<INSTALL_INTERFACE:include>)
target_compile_features(uplift_flags INTERFACE cxx_std_20)
set(flags -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
          -Wno-psabi $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # the latter: false alarms of GCC 12 in std::string (PR 105651)
          -ffp-contract=off)  # contraction is explicit (fma): bits must not depend on inlining
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  list(APPEND flags -msse4.2)  # the least that any kernel is built for; floor() becomes one instruction
endif()
if(UPLIFT_WERROR)
  list(APPEND flags -Werror)
endif()
target_compile_options(uplift_flags INTERFACE "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:${flags}>>")  # nvcc has its own
