# Every dependency is a Debian 12 package; ci/packages.txt lists them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(libmnl REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(libnftnl REQUIRED IMPORTED_TARGET libnftnl)
pkg_check_modules(libnftables REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(libpcap REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(libcares REQUIRED IMPORTED_TARGET libcares)
# Our own tests need GoogleTest, and so does what others write theirs with (harness/testing), which is left out
# where it is missing.
find_package(GTest)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

# Asio without its inline implementation: compiled once in harness/base/asio.cpp, which saves
# every other file most of its compile time.
add_library(plumbline_asio INTERFACE)
target_link_libraries(plumbline_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(plumbline_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
set_target_properties(plumbline_asio PROPERTIES EXPORT_NAME asio)
install(TARGETS plumbline_asio EXPORT plumbline)
