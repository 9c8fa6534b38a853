# `cmake --install`, find_package(uplift) and `cpack -G DEB`. Two components, and two Debian packages: the program with its files, and the
# libraries with their headers.
include(CMakePackageConfigHelpers)
set(share ${CMAKE_INSTALL_DATADIR}/uplift)
set(package_config ${CMAKE_INSTALL_LIBDIR}/cmake/uplift)

# The program, and what resource() in core/resources.hpp looks for: bin/../share/uplift, which the build folder has as links.
install(TARGETS uplift COMPONENT program)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/uplift)
foreach(folder forcefields inputs examples docs)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${share}/${folder} COMPONENT program
          PATTERN "__pycache__" EXCLUDE PATTERN "*-run" EXCLUDE PATTERN "make_inputs.py" EXCLUDE)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/share/uplift/${folder} SYMBOLIC)
endforeach()

# uplift(1), as the program says it.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/uplift.1 COMMAND uplift man-page > ${CMAKE_BINARY_DIR}/uplift.1 DEPENDS uplift)
add_custom_target(man_page ALL DEPENDS ${CMAKE_BINARY_DIR}/uplift.1)
install(FILES ${CMAKE_BINARY_DIR}/uplift.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

# uplift::uplift is all of it; headers that show kernels are not for users of the library.
add_library(uplift_all INTERFACE)
target_link_libraries(uplift_all INTERFACE uplift_domain uplift_engine uplift_sampling uplift_pictures uplift_backend_cpu uplift_build uplift_io)
set_target_properties(uplift_all PROPERTIES EXPORT_NAME uplift)
get_property(libraries GLOBAL PROPERTY UPLIFT_LIBRARIES)
foreach(library ${libraries} uplift_flags)
  string(REPLACE "uplift_" "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS uplift_all uplift_flags ${libraries} EXPORT uplift ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/uplift COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/uplift DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
        PATTERN "bias_factors.hpp" EXCLUDE PATTERN "erf_table.hpp" EXCLUDE PATTERN "cpu/integration.hpp" EXCLUDE PATTERN "force_term.hpp" EXCLUDE
        PATTERN "box_numbers.hpp" EXCLUDE PATTERN "chain_state.hpp" EXCLUDE PATTERN "mesh_waves.hpp" EXCLUDE)
install(EXPORT uplift NAMESPACE uplift:: FILE uplift-targets.cmake DESTINATION ${package_config} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/uplift-config.cmake.in ${CMAKE_BINARY_DIR}/uplift-config.cmake INSTALL_DESTINATION ${package_config})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/uplift-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/uplift-config.cmake ${CMAKE_BINARY_DIR}/uplift-config-version.cmake cmake/dependencies.cmake DESTINATION ${package_config}
        COMPONENT library)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME uplift)
set(CPACK_PACKAGE_VENDOR uplift)
set(CPACK_PACKAGE_CONTACT "maintainers of uplift <maintainers@users.noreply.r-seed-bfd2280a.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program library)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME uplift)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS python3-matplotlib)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "${PROJECT_DESCRIPTION}\n One YAML file in; verified forces, an H5MD trajectory and reweighted free energies out.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libuplift-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "uplift (= ${PROJECT_VERSION}), pkg-config, libyaml-cpp-dev, libfmt-dev, libspdlog-dev, libhdf5-dev, libnetcdf-dev, libeigen3-dev, libfftw3-dev, libopenmpi-dev, librandom123-dev, nlohmann-json3-dev, zlib1g-dev, gemmi-dev, tao-pegtl-dev, libpugixml-dev")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "Molecular dynamics as a C++ library\n Headers, static libraries and find_package(uplift).")
include(CPack)
