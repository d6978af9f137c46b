#include "algorithms/quantization/group_size.h"

#include <fmt/format.h>

namespace skiff {

bool convert(const Node& node, GroupSize& out, const Rules&, Reader& reader) {
  if (node.is_scalar() && (node.text == "row" || node.text == "tensor")) {
    out.inputs = node.text == "row" ? GroupSize::kRow : GroupSize::kTensor;
    return true;
  }
  if (node.is_scalar() && !node.text.empty() && node.text.size() < 8 &&
      node.text.find_first_not_of("0123456789") == std::string::npos) {
    const int inputs = std::stoi(node.text);
    if (inputs >= 2 && inputs <= (1 << 20)) {
      out.inputs = inputs;
      return true;
    }
  }
  reader.problem(node.where, fmt::format("expected a number of weights from 2 on, row or tensor{}",
                                         node.is_scalar() ? ", found \"" + node.text + "\"" : ""));
  return false;
}

std::string print_value(const GroupSize& group) {
  if (group.inputs == GroupSize::kRow) return "row";
  return group.is_tensor() ? "tensor" : std::to_string(group.inputs);
}

}  // namespace skiff
