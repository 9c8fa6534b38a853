# Files of a made-up system, written by our writers and opened with the readers that users have: the distribution's Python with h5py
# and MDAnalysis. Where those are missing the test is a visible skip.
add_executable(write_sample ${CMAKE_CURRENT_SOURCE_DIR}/package/write_sample.cpp)
target_link_libraries(write_sample PRIVATE uplift_io)
find_program(UPLIFT_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(UPLIFT_SYSTEM_PYTHON)
  add_test(NAME includes COMMAND ${UPLIFT_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/includes_test.py ${PROJECT_SOURCE_DIR})
  add_test(NAME includes.self COMMAND ${UPLIFT_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/includes_test.py --self-test)
  set_tests_properties(includes includes.self PROPERTIES LABELS unit)
  add_test(NAME package.sample COMMAND ${UPLIFT_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/package/sample_test.py $<TARGET_FILE:write_sample>)
  set_tests_properties(package.sample PROPERTIES LABELS package SKIP_RETURN_CODE 77 TIMEOUT 300)
  add_test(NAME package.convert COMMAND ${UPLIFT_SYSTEM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/package/convert_test.py $<TARGET_FILE:write_sample> $<TARGET_FILE:uplift>)
  set_tests_properties(package.convert PROPERTIES LABELS package SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
