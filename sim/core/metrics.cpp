#include "sim/core/metrics.h"

namespace skiff {

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{
      "train_loss",         "test_loss", "test_accuracy", "perplexity",    "next_token_accuracy",
      "masked_accuracy",    "macro_f1",  "suboptimality", "gradient_norm", "client_accuracy_mean",
      "client_accuracy_p10"};
  return names;
}

bool metric_rises(const std::string& name) {
  return name.find("accuracy") != std::string::npos || name == "macro_f1";
}

}  // namespace skiff
