// The one place where Asio's implementation is compiled: see PlumblineDependencies.cmake.
#include <boost/asio/impl/src.hpp>
