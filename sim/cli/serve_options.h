// --serve and --serve-to, the options of a live page.
#pragma once

#include <boost/program_options.hpp>
#include <optional>

#include "sim/live/live_server.h"

namespace skiff::cli {

void add_serve_options(boost::program_options::options_description& options);
// Empty without --serve. Throws UsageError.
std::optional<LiveServer::Options> serve_options(
    const boost::program_options::variables_map& given);

}  // namespace skiff::cli
