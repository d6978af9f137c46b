// Multinomial logistic regression (softmax over classes), or, for labels -1/+1, binary logistic
// regression with one output: f(w) = mean of log(1 + exp(-y a.w)) + (l2/2)|w|^2.
//
// Training starts at zero: the problem is convex, and theory measures distances from there.
#include <stdexcept>

#include "algorithms/models/dense_network.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct LogisticRegressionParams {
  bool bias = true;
  double l2 = 0;
};

class LogisticRegression final : public ModelFamily {
 public:
  explicit LogisticRegression(LogisticRegressionParams params) : params_(params) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const DenseNetwork>(
        task, DenseNetwork::Options{.family = "logistic-regression",
                                    .hidden = {},
                                    .bias = params_.bias,
                                    .l2 = params_.l2,
                                    .start_at_zero = true});
  }

 private:
  LogisticRegressionParams params_;
};

}  // namespace

template <>
Schema<LogisticRegressionParams> schema<LogisticRegressionParams>() {
  Schema<LogisticRegressionParams> s;
  s.field("bias", &LogisticRegressionParams::bias, "one constant an output");
  s.field("l2", &LogisticRegressionParams::l2, "strength of (l2/2)|w|^2, biases included")
      .at_least(0);
  return s;
}

SKIFF_REGISTER(ModelFamily, LogisticRegression, LogisticRegressionParams,
               {.name = "logistic-regression",
                .summary = "one linear layer and softmax; one output for labels -1 and +1",
                .paper = "baseline",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation; optima of l2-logistic regression"});

}  // namespace skiff
