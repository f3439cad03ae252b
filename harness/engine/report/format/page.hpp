#pragma once

#include <string_view>

namespace plumbline::engine {

/// The HTML report without its data: made from page/ when the program is built.
struct Page {
  std::string_view before_data, after_data;
};
Page html_page();

}  // namespace plumbline::engine
