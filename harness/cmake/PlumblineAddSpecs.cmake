# plumbline_add_specs(DIR|FILE [PREFIX text] [LABELS label…] [TIMEOUT seconds])
#
# Makes each check of each scenario in DIR (all *.yaml below it) a test for ctest, named `PREFIXscenario.setup/check`.
# The tests are found when ctest starts, so a spec that is new, changed or gone needs no new configuration; a spec that
# is wrong is a test that fails and says why. A scenario's network is built once for all of its tests. Each has the
# labels `scenario` and its kind of setup (`native`; of container runtimes `runtime` too), beside LABELS; TIMEOUT is 120 unless said otherwise. Where the machine refuses namespaces the tests are skipped; with CI=true
# in the environment they fail.
#
#   find_package(plumbline REQUIRED)
#   enable_testing()
#   plumbline_add_specs(specs PREFIX my-project/)
#
# A relative DIR starts from the current source folder, which is also the tests' working folder.
function(plumbline_add_specs directory)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX;TIMEOUT" "LABELS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "plumbline_add_specs: unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(ABSOLUTE_PATH directory OUTPUT_VARIABLE absolute)
  if(NOT EXISTS ${absolute})
    message(FATAL_ERROR "plumbline_add_specs: there is no ${absolute}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(labels scenario ${arg_LABELS})
  string(MAKE_C_IDENTIFIER "${directory}${arg_PREFIX}" identifier)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/plumbline_specs_${identifier})
  # The program's place is known when the build system is generated, and may differ by configuration.
  file(GENERATE OUTPUT ${file}-$<CONFIG>.cmake CONTENT
"set(plumbline_program [==[$<TARGET_FILE:plumbline::plumbline_gtest>]==])
set(plumbline_specs [==[${directory}]==])
set(plumbline_folder [==[${CMAKE_CURRENT_SOURCE_DIR}]==])
set(plumbline_prefix [==[${arg_PREFIX}]==])
set(plumbline_labels [==[${labels}]==])
set(plumbline_timeout [==[${arg_TIMEOUT}]==])
set(plumbline_results [==[${file}-results]==])
include([==[${CMAKE_CURRENT_FUNCTION_LIST_DIR}/PlumblineDiscoverSpecs.cmake]==])
")
  get_property(multi GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(multi)
    file(WRITE ${file}.cmake "include(${file}-\${CTEST_CONFIGURATION_TYPE}.cmake)\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file}.cmake)
  else()
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file}-${CMAKE_BUILD_TYPE}.cmake)
  endif()
endfunction()
