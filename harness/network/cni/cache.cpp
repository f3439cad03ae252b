#include "harness/network/cni/cache.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "harness/base/error.hpp"

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;

std::string path_of(const Configuration& network, const Attachment& attachment) {
  return fmt::format("{}/{}-{}-{}", kCacheFolder, network.name, attachment.container, attachment.interface);
}

/// RFC 4648: as Go writes bytes in JSON.
std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 0x3fU] : '=';
    }
  }
  return text;
}

/// [["KEY", "VALUE"]]
json::array arguments_of(const std::string& arguments) {
  json::array all;
  for (std::string_view rest = arguments; !rest.empty();) {
    const std::string_view each = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(each.size() + 1, rest.size()));
    const std::size_t equals = std::min(each.find('='), each.size());
    const std::string_view value = each.substr(std::min(equals + 1, each.size()));
    all.push_back(json::array{std::string(each.substr(0, equals)), std::string(value)});
  }
  return all;
}

}  // namespace

void remember(const Configuration& network, const Attachment& attachment, const json::object& known,
              const Result& result) {
  json::object entry;
  entry["kind"] = "cniCacheV1";
  entry["containerId"] = attachment.container;
  entry["config"] = base64(network.text);
  entry["ifName"] = attachment.interface;
  entry["networkName"] = network.name;
  entry["cniArgs"] = arguments_of(attachment.arguments);
  entry["capabilityArgs"] = known;
  entry["result"] = result.json;
  const std::string path = path_of(network, attachment);
  std::error_code problem;
  std::filesystem::create_directories(kCacheFolder, problem);
  std::ofstream file(path);
  file << json::serialize(entry) << std::flush;
  if (!file) throw Error::from_errno(errno, "writing " + path);
}

std::optional<Result> recall(const Configuration& network, const Attachment& attachment) {
  const std::string path = path_of(network, attachment);
  std::ifstream file(path);
  if (!file) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  json::error_code problem;
  const json::value entry = json::parse(text, problem);
  const json::value* result =
      problem || !entry.is_object() ? nullptr : entry.get_object().if_contains("result");
  if (result == nullptr) throw Error(path + " holds no result of CNI's", ErrorKind::setup);
  return parse_result(json::serialize(*result));
}

void forget(const Configuration& network, const Attachment& attachment) {
  std::error_code ignored;
  std::filesystem::remove(path_of(network, attachment), ignored);
}

}  // namespace plumbline::network::cni
