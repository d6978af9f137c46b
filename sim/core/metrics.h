// The metrics of the language: columns of /rounds, targets of server.stop.
#pragma once

#include <string>
#include <vector>

namespace skiff {

const std::vector<std::string>& metric_names();
// Accuracies and F1 rise towards a target; losses, perplexity, suboptimality, gradient norms fall.
bool metric_rises(const std::string& name);

}  // namespace skiff
