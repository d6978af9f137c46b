// skiff schema: the JSON Schema (draft 07) of scenarios, from the same declarations that read them.

#include <fmt/format.h>

#include "sim/cli/command.h"
#include "sim/scenario/json_schema.h"

namespace skiff::cli {

int schema_verb(const std::vector<std::string>& arguments) {
  boost::program_options::options_description options;
  boost::program_options::variables_map given;
  if (!parse(verb_named("schema"), arguments, options, "", given)) return kOk;
  fmt::print("{}", json_schema());
  return kOk;
}

}  // namespace skiff::cli
