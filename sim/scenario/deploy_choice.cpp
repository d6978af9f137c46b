#include "sim/scenario/deploy_choice.h"

#include <vector>

#include "algorithms/models/real_size.h"

namespace skiff {

bool convert(const Node& node, DeployChoice& out, const Rules&, Reader& reader) {
  if (!node.is_scalar()) {
    return detail::expected(node, "the name of a model or a config.json", reader), false;
  }
  out = {node.text, ""};
  if (node.text == "itself") return true;
  if (find_known_model(node.text) != nullptr) {
    out.name = node.text;
    return true;
  }
  out.name = reader.find_file(node.text);
  if (!out.name.empty()) return true;
  std::vector<std::string> known{"itself"};
  for (const KnownModel& m : known_models()) known.push_back(m.name);
  const std::string near = nearest_word(node.text, known);
  reader.problem(node.where, "\"" + node.text + "\" is neither a known model" +
                                 (near.empty() ? "" : " (did you mean \"" + near + "\"?)") +
                                 " nor a config.json; skiff list models, or looked in " +
                                 reader.searched());
  return false;
}
std::string print_value(const DeployChoice& v) { return v.written; }

}  // namespace skiff
