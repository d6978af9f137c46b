#include "sim/scenario/section_schemas.h"

namespace skiff {

template <>
Schema<ModelSection> schema() {
  Schema<ModelSection> s;
  s.field("checkpoint", &ModelSection::checkpoint,
          "trained weights instead of an architecture: .safetensors, llama2.c .bin");
  s.field("pretrain_epochs", &ModelSection::pretrain_epochs,
          "passes over the server's samples before round 1")
      .at_least(0);
  s.field("deploy_as", &ModelSection::deploy_as,
          "the real-size model that devices pay for, while the small one trains (skiff list "
          "models, or an HF config.json)");
  return s;
}

bool convert(const Node& node, ModelSection& out, const Rules&, Reader& reader) {
  const std::size_t before = reader.problems().size();
  const Node* checkpoint = node.find("checkpoint");
  if (checkpoint == nullptr || checkpoint->is_null()) {
    read_choice(node, schema<ModelSection>(), out, out.architecture, reader);
  } else {
    std::vector<std::string> taken{ModelFamily::kKey};
    const Node* kind = node.find(ModelFamily::kKey);
    for (const auto& [name, entry] : Registry<ModelFamily>::instance().entries()) {
      for (const FieldInfo& f : entry.fields) {
        if (kind != nullptr) taken.push_back(f.name);  // one mistake is enough
      }
    }
    schema<ModelSection>().read(node, out, reader, taken);
    if (kind != nullptr) {
      reader.problem(kind->where, "architecture and checkpoint both given; remove one");
    }
  }
  return reader.problems().size() == before;
}

}  // namespace skiff
