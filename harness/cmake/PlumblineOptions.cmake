# One interface target carries what every target of ours is compiled with.
option(WERROR "Treat warnings as errors" OFF)
option(FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(BUILD_TESTING "Build the tests" ON)
if(NOT PROJECT_IS_TOP_LEVEL)
  # Part of somebody else's build: whether that has tests says nothing about ours.
  set(BUILD_TESTING OFF)
endif()
set(PLUMBLINE_BPF AUTO CACHE STRING "Tell the kernel's own reasons for drops, by a BPF program: ON, OFF, or AUTO where it can be built")
set_property(CACHE PLUMBLINE_BPF PROPERTY STRINGS AUTO ON OFF)
set(SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

include(GNUInstallDirs)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(plumbline_options INTERFACE)
target_compile_options(plumbline_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers -fcoroutines>
  # False alarms of g++ 12 in the standard library once it optimises (GCC bugs 105329, 105651, 107852).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-field-initializers>
  $<$<BOOL:${WERROR}>:-Werror>)
target_include_directories(plumbline_options INTERFACE ${PROJECT_SOURCE_DIR})
if(SANITIZE)
  if(SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences are unknown to ThreadSanitizer; one event loop in one thread does not need them.
    target_compile_options(plumbline_options INTERFACE -Wno-tsan)
  endif()
  target_compile_options(plumbline_options INTERFACE -fsanitize=${SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(plumbline_options INTERFACE -fsanitize=${SANITIZE})
endif()
if(FUZZ)
  target_compile_options(plumbline_options INTERFACE -fsanitize=fuzzer-no-link,address)
  target_link_options(plumbline_options INTERFACE -fsanitize=address)
endif()
