# uplift_layer(NAME [LINKS ...]): one static library a floor, from every .cpp in the current folder (and below).
function(uplift_layer name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC uplift_flags ${arg_LINKS})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE uplift_flags ${arg_LINKS})
  endif()
  set_property(GLOBAL APPEND PROPERTY UPLIFT_LIBRARIES ${name})  # what cmake/install.cmake installs
endfunction()
# uplift_compile_quickly(NAME LEVEL): -O1 or -O2 in place of a release's -O3, which takes half as long again, for what no simulation waits for. Numbers are the
# same: nothing is contracted or reordered at any level.
function(uplift_compile_quickly name level)
  target_compile_options(${name} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:${level}>)
endfunction()
# uplift_precompile(NAME): what nearly every source of a floor includes, read once for all of them. Sources include what they use all the same: the preset
# tsan has none of this, and does not compile otherwise.
function(uplift_precompile name)
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <charconv> <cmath> <filesystem> <fmt/format.h> <map> <optional> <set> <span> <string>
                            <string_view> <vector> ${ARGN})
endfunction()
