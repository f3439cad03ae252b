# What `cmake --install` puts where: programs in bin/, what ships with them in share/plumbline/, and for those who write
# tests of their own the libraries, headers, and the package that find_package(plumbline) finds. Each target is
# installed where it is declared. The component `runtime` is what it takes to run scenarios, and no more;
# `development` is the rest.
include(CMakePackageConfigHelpers)
include(PlumblineAddSpecs)

set(plumbline_data ${CMAKE_INSTALL_DATADIR}/plumbline)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/scenarios DESTINATION ${plumbline_data} COMPONENT runtime
  USE_SOURCE_PERMISSIONS PATTERN README.md EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/fixtures/worlds DESTINATION ${plumbline_data}/fixtures COMPONENT runtime
  FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/fixtures/setups DESTINATION ${plumbline_data}/fixtures COMPONENT runtime OPTIONAL
  USE_SOURCE_PERMISSIONS PATTERN README.md EXCLUDE)

if(NOT GTest_FOUND)
  return()
endif()

set(plumbline_headers ${CMAKE_INSTALL_INCLUDEDIR}/plumbline)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/harness ${PROJECT_SOURCE_DIR}/checks DESTINATION ${plumbline_headers} COMPONENT development
  FILES_MATCHING PATTERN "*.hpp"
  REGEX "/(cmake|cli|program|include)$" EXCLUDE REGEX "/(cli|report|run|spec)/testing$" EXCLUDE REGEX "/testing.hpp$" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/harness/testing/include/plumbline/testing.hpp DESTINATION ${plumbline_headers}
  COMPONENT development)

set(plumbline_package ${CMAKE_INSTALL_LIBDIR}/cmake/plumbline)
install(EXPORT plumbline NAMESPACE plumbline:: FILE plumblineTargets.cmake DESTINATION ${plumbline_package}
  COMPONENT development)
set(plumbline_optional_libraries "")
if(PLUMBLINE_WITH_BPF)
  set(plumbline_optional_libraries libbpf)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/harness/cmake/plumblineConfig.cmake.in
  ${PROJECT_BINARY_DIR}/plumblineConfig.cmake INSTALL_DESTINATION ${plumbline_package} PATH_VARS plumbline_data)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/plumblineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/plumblineConfig.cmake ${PROJECT_BINARY_DIR}/plumblineConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/harness/cmake/PlumblineAddSpecs.cmake
  ${PROJECT_SOURCE_DIR}/harness/cmake/PlumblineDiscoverSpecs.cmake DESTINATION ${plumbline_package} COMPONENT development)
