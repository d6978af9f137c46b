// Multi-layer perceptron: ReLU layers and a linear output. hidden: [200, 200] on 28x28 images is
// the 2NN of McMahan et al. 2017 (arXiv:1602.05629), 199,210 parameters.
#include <stdexcept>

#include "algorithms/models/dense_network.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct MlpParams {
  std::vector<int> hidden;
  std::string preset;
  double l2 = 0;
};

std::vector<int> widths_of(const MlpParams& params) {
  if (params.preset == "tiny") return {32};
  if (params.preset == "small") return {200, 200};
  return params.hidden;
}

class Mlp final : public ModelFamily {
 public:
  explicit Mlp(const MlpParams& params) : hidden_(widths_of(params)), l2_(params.l2) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    if (hidden_.empty()) {
      throw std::invalid_argument(
          "mlp has no hidden layer; give hidden, or take logistic-regression");
    }
    return std::make_shared<const DenseNetwork>(
        task, DenseNetwork::Options{.family = "mlp", .hidden = hidden_, .l2 = l2_});
  }

 private:
  std::vector<int> hidden_;
  double l2_;
};

void check_shape(const MlpParams& params, const Node& map, Reader& reader) {
  if (params.hidden.empty() != params.preset.empty()) return;
  const Reader::Scope scope(reader, "hidden");
  reader.problem(map.where, params.hidden.empty()
                                ? "required by mlp, such as [200, 200]; or give a preset"
                                : "given besides preset; one of them says the shape");
}

}  // namespace

template <>
Schema<MlpParams> schema<MlpParams>() {
  Schema<MlpParams> s;
  s.field("hidden", &MlpParams::hidden, "widths of the hidden layers, such as [200, 200]")
      .in(1, 65536);
  s.field("preset", &MlpParams::preset, "instead of hidden: tiny is [32], small is [200, 200]")
      .one_of({"tiny", "small"});
  s.field("l2", &MlpParams::l2, "strength of (l2/2)|w|^2, biases included").at_least(0);
  s.check(check_shape);
  return s;
}

SKIFF_REGISTER(ModelFamily, Mlp, MlpParams,
               {.name = "mlp",
                .summary = "fully connected layers with ReLU; [200, 200] is McMahan's 2NN",
                .paper = "McMahan et al. 2017, arXiv:1602.05629",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation; training bit-equal to a scalar fma loop"});

}  // namespace skiff
