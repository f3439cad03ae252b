# Read by ctest, by way of a file that plumbline_add_specs() wrote: asks plumbline-gtest for the checks of
# `plumbline_specs`, and adds a test for each. That takes some milliseconds, so nothing is kept from one ctest to the
# next, and nothing can be out of date.
#
# A scenario's network is built once for each setup, by the test `scenario.setup`, on which those of its checks depend as
# on a fixture: ctest runs it first, also where only one of them is chosen. It runs all checks and leaves their results,
# and each test tells, once, the one of its check. A test that finds none (ctest -FS, --repeat, a folder that cannot be
# written) runs its check by itself.
cmake_policy(VERSION 3.25)

function(plumbline_discover_specs)
  if(NOT EXISTS "${plumbline_program}")
    add_test("${plumbline_prefix}${plumbline_specs}_NOT_BUILT" "${plumbline_program}")
    return()
  endif()
  execute_process(COMMAND "${plumbline_program}" --list-checks -- "${plumbline_specs}"
    WORKING_DIRECTORY "${plumbline_folder}" OUTPUT_VARIABLE output ERROR_QUIET RESULT_VARIABLE status TIMEOUT 60)
  if(NOT status EQUAL 0)
    # The same once more as a test, which fails and says what is wrong. What is right is tested all the same.
    set(name "${plumbline_prefix}${plumbline_specs} can be read")
    add_test("${name}" "${plumbline_program}" --list-checks -- "${plumbline_specs}")
    set_tests_properties("${name}" PROPERTIES WORKING_DIRECTORY "${plumbline_folder}" LABELS "${plumbline_labels}")
  endif()
  # Characters that mean something in CMake's lists are others until each line stands alone.
  string(ASCII 1 backslash)
  string(ASCII 2 semicolon)
  string(ASCII 3 open)
  string(ASCII 4 close)
  string(ASCII 9 tab)
  string(REPLACE "\\" "${backslash}" output "${output}")
  string(REPLACE ";" "${semicolon}" output "${output}")
  string(REPLACE "[" "${open}" output "${output}")
  string(REPLACE "]" "${close}" output "${output}")
  string(REPLACE "\n" ";" output "${output}")
  set(networks "")
  foreach(line IN LISTS output)
    string(REPLACE "${tab}" ";" fields "${line}")
    list(LENGTH fields count)
    if(NOT count EQUAL 4)
      continue()
    endif()
    list(GET fields 0 check)
    list(GET fields 1 place)
    list(GET fields 2 setup)
    list(GET fields 3 kind)
    string(REGEX REPLACE ":[0-9]+$" "" spec "${place}")
    foreach(text check spec)
      string(REPLACE "${backslash}" "\\" ${text} "${${text}}")
      string(REPLACE "${semicolon}" ";" ${text} "${${text}}")
      string(REPLACE "${open}" "[" ${text} "${${text}}")
      string(REPLACE "${close}" "]" ${text} "${${text}}")
    endforeach()
    string(FIND "${check}" "/" slash)
    string(SUBSTRING "${check}" 0 ${slash} network)
    set(results "${plumbline_results}/${network}")
    if(NOT network IN_LIST networks)
      list(APPEND networks "${network}")
      set(name "${plumbline_prefix}${network}")
      add_test("${name}" "${plumbline_program}" "--keep=${results}" "--setup=${setup}" -- "${spec}")
      set_tests_properties("${name}" PROPERTIES WORKING_DIRECTORY "${plumbline_folder}" TIMEOUT "${plumbline_timeout}"
        FIXTURES_SETUP "${plumbline_prefix}${network}" SKIP_RETURN_CODE 77)
    endif()
    set(labels "${plumbline_labels};${kind}")
    if(kind MATCHES "^(cni|docker|podman)$")
      list(APPEND labels runtime)
    endif()
    set(name "${plumbline_prefix}${check}")
    add_test("${name}" "${plumbline_program}" "--check=${check}" "--kept=${results}" -- "${spec}")
    set_tests_properties("${name}" PROPERTIES WORKING_DIRECTORY "${plumbline_folder}" TIMEOUT "${plumbline_timeout}"
      FIXTURES_REQUIRED "${plumbline_prefix}${network}" LABELS "${labels}" SKIP_RETURN_CODE 77)
  endforeach()
endfunction()

plumbline_discover_specs()
