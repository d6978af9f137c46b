// model.deploy_as: which model devices pay for while another one trains. A plain value.
#pragma once

#include <string>

#include "sim/core/convert.h"

namespace skiff {

struct DeployChoice {
  std::string written = "itself";
  std::string name;  // of a known model, or where its config.json was found; "" = what trains
};

bool convert(const Node&, DeployChoice& out, const Rules&, Reader&);
std::string print_value(const DeployChoice&);
template <>
struct TypeName<DeployChoice> {
  static std::string get() { return "word or file"; }
};

}  // namespace skiff
