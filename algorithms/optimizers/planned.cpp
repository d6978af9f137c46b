// Optimizers of the language that this version cannot run yet, with the keys that they will have.
#include "algorithms/optimizers/common.h"

namespace skiff {
namespace {

FieldInfo field(std::string name, std::string type, std::string help,
                std::string default_text = "") {
  FieldInfo info;
  info.required = default_text.empty();
  info.name = std::move(name);
  info.type = std::move(type);
  info.help = std::move(help);
  info.default_text = std::move(default_text);
  return info;
}

bool plan(Description about, std::vector<FieldInfo> own) {
  Schema<OptimizerParams> common;
  add_common_fields(common, about.name);
  std::vector<FieldInfo> fields = common.describe();
  fields.insert(fields.end(), own.begin(), own.end());
  return detail::register_planned<Optimizer>(std::move(about), std::move(fields));
}

[[maybe_unused]] const bool registered[] = {
    plan({.name = "mezo",
          .summary = "zeroth-order steps from two forward passes",
          .paper = "Malladi et al. 2023, arXiv:2305.17333"},
         {field("epsilon", "number", "size of the perturbation", "0.001")}),
    plan({.name = "grass",
          .summary = "gradients of a few rows, chosen anew from time to time",
          .paper = "Muhamed et al. 2024, arXiv:2406.17660"},
         {field("rank", "int", "rows of a gradient"),
          field("rows", "word", "how they are chosen", "top-r"),
          field("refresh", "int", "steps between choices", "200")}),
    plan({.name = "galore",
          .summary = "Adam in the leading subspace of the gradient",
          .paper = "Zhao et al. 2024, arXiv:2403.03507"},
         {field("rank", "int", "dimension of the subspace"),
          field("refresh", "int", "steps between subspaces", "200")}),
    plan({.name = "flora",
          .summary = "accumulates gradients through random projections",
          .paper = "Hao et al. 2024, arXiv:2402.03293"},
         {field("rank", "int", "dimension of the projection"),
          field("refresh", "int", "steps between projections", "1000")}),
};

}  // namespace
}  // namespace skiff
