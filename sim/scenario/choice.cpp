#include "sim/scenario/choice.h"

namespace skiff {

std::vector<std::string> names_of(const std::vector<FieldInfo>& fields) {
  std::vector<std::string> names;
  for (const FieldInfo& f : fields) names.push_back(f.name);
  return names;
}

void report_kind(const Node& map, const std::string& key, const std::string& role,
                 const std::vector<std::string>& names, Reader& reader) {
  const Reader::Scope scope(reader, key);
  const Node* kind = map.find(key);
  if (kind == nullptr) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    reader.problem(map.where, "required; write one of " + all);
  } else if (!kind->is_scalar()) {
    detail::expected(*kind, "a word", reader);
  } else {
    reader.problem(kind->where, unknown_name_message(kind->text, role, names));
  }
}

}  // namespace skiff
