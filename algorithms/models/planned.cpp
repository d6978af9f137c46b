// Architectures of the language that this version cannot run yet, with the keys that they will
// have.
#include "algorithms/models/architecture.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

FieldInfo field(std::string name, std::string type, std::string help,
                std::string default_text = "") {
  FieldInfo info;
  info.name = std::move(name);
  info.type = std::move(type);
  info.help = std::move(help);
  info.default_text = std::move(default_text);
  return info;
}

FieldInfo preset() {
  FieldInfo info = field("preset", "word", "a shape by name, instead of the keys of the shape");
  info.rules.words = {"tiny", "small", "base"};
  return info;
}

FieldInfo penalty() {
  return field("l2", "number", "strength of (l2/2)|w|^2, biases included", "0");
}

bool plan(Description about, std::vector<FieldInfo> fields) {
  return detail::register_planned<ModelFamily>(std::move(about), std::move(fields));
}

[[maybe_unused]] const bool registered[] = {
    plan({.name = "resnet",
          .summary = "convolutions with residual connections",
          .paper = "He et al. 2016, arXiv:1512.03385"},
         {preset(), penalty()}),
};

}  // namespace
}  // namespace skiff
