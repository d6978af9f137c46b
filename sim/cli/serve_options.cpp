#include "sim/cli/serve_options.h"

#include "sim/cli/command.h"

namespace skiff::cli {
namespace po = boost::program_options;

void add_serve_options(po::options_description& options) {
  options.add_options()("serve", po::value<int>()->implicit_value(8080),
                        "a page that shows the progress, on 127.0.0.1 at this port, 8080 if none "
                        "is named; 0: any free one")(
      "serve-to", po::value<std::string>(), "the address to serve on, to let other machines look");
}

std::optional<LiveServer::Options> serve_options(const po::variables_map& given) {
  if (given.count("serve") == 0) {
    if (given.count("serve-to") != 0) throw UsageError("--serve-to goes with --serve");
    return std::nullopt;
  }
  const int port = given["serve"].as<int>();
  if (port < 0 || port > 65535) throw UsageError("--serve: a port is a number of 0..65535");
  LiveServer::Options options;
  options.port = static_cast<std::uint16_t>(port);
  if (given.count("serve-to") != 0) options.address = given["serve-to"].as<std::string>();
  return options;
}

}  // namespace skiff::cli
