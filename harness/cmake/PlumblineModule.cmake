# plumbline_export(TARGET NAME)
#
# What users of an installed library need to know of it, and its part in the installation: plumbline::NAME after
# find_package(plumbline). Our warnings are no concern of theirs.
function(plumbline_export target name)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/plumbline>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT plumbline ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/plumbline
    COMPONENT development)
endfunction()

# plumbline_list_kinds(TEMPLATE TYPE SUFFIX [EXCEPT name…])
#
# For folders with one kind of something per file: foo.cpp, which is no test, defines `TYPE foo_SUFFIX()`. From
# TEMPLATE (kinds.cpp.in), with their @DECLARATIONS@ and @CALLS@, comes kinds.cpp in the build folder, which lists them
# all: nothing registers itself at start-up, since static libraries lose such objects. EXCEPT: files that define none.
function(plumbline_list_kinds template type suffix)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "EXCEPT")
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER files EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  set(DECLARATIONS "")
  set(CALLS "")
  foreach(file IN LISTS files)
    get_filename_component(kind ${file} NAME_WE)
    if(kind IN_LIST arg_EXCEPT)
      continue()
    endif()
    string(APPEND DECLARATIONS "${type} ${kind}_${suffix}();\n")
    string(APPEND CALLS "${kind}_${suffix}(), ")
  endforeach()
  get_filename_component(output ${template} NAME_WLE)
  configure_file(${template} ${CMAKE_CURRENT_BINARY_DIR}/${output} @ONLY)
endfunction()

# plumbline_module(NAME [DEPENDS target…] [PRIVATE_DEPENDS target…])
#
# Declares the current folder as one module: every *.cpp is its library `plumbline_NAME` (alias
# `plumbline::NAME`); foo_test.cpp are its tests without privileges (executable NAME_test, label `unit`);
# foo_netns_test.cpp are its tests in disposable namespaces (executable NAME_netns_test, label `netns`,
# started inside the sandbox by harness/kernel/netns/testing); foo_fuzz.cpp is a libFuzzer target;
# foo_bench.cpp are benchmarks (executable NAME_bench). A new file is found by itself.
# The library is installed and exported, too (PlumblineInstall.cmake).
function(plumbline_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;PRIVATE_DEPENDS;TEST_DEPENDS")
  file(GLOB all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(netns_tests ${tests})
  list(FILTER netns_tests INCLUDE REGEX "_netns_test\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "_netns_test\\.cpp$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")

  set(library plumbline_${name})
  add_library(${library} STATIC ${sources})
  add_library(plumbline::${name} ALIAS ${library})
  target_link_libraries(${library} PUBLIC ${arg_DEPENDS} PRIVATE $<BUILD_INTERFACE:plumbline_options> ${arg_PRIVATE_DEPENDS})
  plumbline_export(${library} ${name})

  if(BUILD_TESTING)
    if(tests)
      add_executable(${name}_test ${tests})
      target_link_libraries(${name}_test PRIVATE plumbline_options ${library} ${arg_PRIVATE_DEPENDS} ${arg_TEST_DEPENDS} GTest::gmock GTest::gtest_main)
      target_compile_definitions(${name}_test PRIVATE PLUMBLINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
      gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit TIMEOUT 120)
    endif()
    if(netns_tests)
      add_executable(${name}_netns_test ${netns_tests})
      target_link_libraries(${name}_netns_test PRIVATE plumbline_options ${library} ${arg_PRIVATE_DEPENDS} ${arg_TEST_DEPENDS}
        plumbline::netns_test_main GTest::gmock GTest::gtest)
      target_compile_definitions(${name}_netns_test PRIVATE PLUMBLINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
      gtest_discover_tests(${name}_netns_test DISCOVERY_MODE PRE_TEST
        PROPERTIES LABELS netns TIMEOUT 120 SKIP_RETURN_CODE 77)
    endif()
  endif()
  if(FUZZ)
    foreach(source IN LISTS fuzzers)
      get_filename_component(fuzzer ${source} NAME_WE)
      add_executable(${fuzzer} ${source})
      target_link_libraries(${fuzzer} PRIVATE plumbline_options ${library} ${arg_PRIVATE_DEPENDS})
      target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
  if(BENCHMARKS AND benches)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE plumbline_options ${library} ${arg_PRIVATE_DEPENDS} ${arg_TEST_DEPENDS} benchmark::benchmark)
  endif()
endfunction()
