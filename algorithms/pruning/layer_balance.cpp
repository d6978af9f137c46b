#include "algorithms/pruning/layer_balance.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>

#include "algorithms/kernels/reduce.h"

namespace skiff::pruning {
namespace {

std::int64_t size_of(const BalancedMatrix& m) { return static_cast<std::int64_t>(m.scores.size()); }

std::int64_t total(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

// One more, or one less, of one matrix after the other, until they add up to `wanted`.
void settle(std::vector<std::int64_t>& counts, const std::vector<BalancedMatrix>& matrices,
            std::int64_t wanted) {
  std::int64_t missing = wanted - total(counts);
  while (missing != 0) {
    for (std::size_t m = 0; m < counts.size() && missing != 0; ++m) {
      const std::int64_t step = missing > 0 ? 1 : -1;
      if (counts[m] + step < 0 || counts[m] + step > size_of(matrices[m])) continue;
      counts[m] += step;
      missing -= step;
    }
  }
}

double mean_of(std::span<const double> scores) {
  return kernels::sum_double(scores) / static_cast<double>(scores.size());
}

// Of the matrices that are free, how many of each are among the k lowest of all.
std::vector<std::int64_t> share_out(const std::vector<BalancedMatrix>& matrices,
                                    const std::vector<bool>& fixed, std::int64_t k) {
  std::vector<double> all;
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    if (fixed[m]) continue;
    const double mean = mean_of(matrices[m].scores);
    for (const double s : matrices[m].scores) all.push_back(mean == 0 ? 0 : s / mean);
  }
  const Mask mask = lowest(all, std::clamp<std::int64_t>(k, 0, std::ssize(all)));
  std::vector<std::int64_t> counts(matrices.size());
  auto next = mask.begin();
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    if (fixed[m]) continue;
    counts[m] = std::count(next, next + size_of(matrices[m]), 1);
    next += size_of(matrices[m]);
  }
  return counts;
}

}  // namespace

std::string block_of(const std::string& name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    if (std::isdigit(static_cast<unsigned char>(name[begin])) != 0) return name.substr(0, end);
    begin = end + 1;
  }
  return name;
}

std::vector<std::int64_t> uniform_counts(const std::vector<BalancedMatrix>& matrices, double p) {
  std::vector<std::int64_t> counts;
  for (const BalancedMatrix& m : matrices) counts.push_back(floor_share(size_of(m), p));
  return counts;
}

std::vector<std::int64_t> global_counts(const std::vector<BalancedMatrix>& matrices, double p) {
  const std::int64_t wanted = total(uniform_counts(matrices, p));
  const double least = std::max(0.0, p - 0.2), most = std::max(p, std::min(p + 0.2, 0.95));
  std::vector<std::int64_t> counts(matrices.size());
  std::vector<bool> fixed(matrices.size());
  for (bool again = true; again;) {
    std::int64_t left = wanted;
    for (std::size_t m = 0; m < counts.size(); ++m) left -= fixed[m] ? counts[m] : 0;
    const std::vector<std::int64_t> shared = share_out(matrices, fixed, left);
    again = false;
    for (std::size_t m = 0; m < counts.size(); ++m) {
      if (fixed[m]) continue;
      const std::int64_t low = ceil_share(size_of(matrices[m]), least);
      const std::int64_t high = floor_share(size_of(matrices[m]), most);
      counts[m] = std::clamp(shared[m], low, std::max(low, high));
      if (counts[m] != shared[m]) fixed[m] = again = true;
    }
  }
  settle(counts, matrices, wanted);
  return counts;
}

std::vector<std::int64_t> owl_counts(const std::vector<BalancedMatrix>& matrices, double p,
                                     double lambda, double outlier) {
  struct Block {
    std::vector<double> scores;
    double outliers = 0;
  };
  std::map<std::string, Block> blocks;
  double all = 0;
  for (const BalancedMatrix& m : matrices) {
    std::vector<double>& scores = blocks[block_of(m.name)].scores;
    scores.insert(scores.end(), m.scores.begin(), m.scores.end());
    all += static_cast<double>(m.scores.size());
  }
  double least = 1e300, most = -1e300, mean = 0;
  for (auto& [name, block] : blocks) {
    const double bar = outlier * mean_of(block.scores);
    const auto above =
        std::count_if(block.scores.begin(), block.scores.end(), [&](double s) { return s > bar; });
    block.outliers = 100.0 * static_cast<double>(above) / static_cast<double>(block.scores.size());
    least = std::min(least, block.outliers);
    most = std::max(most, block.outliers);
  }
  if (most == least) return uniform_counts(matrices, p);
  for (auto& [name, block] : blocks) {
    block.outliers = (block.outliers - least) / (most - least) * 2 * lambda;
    mean += block.outliers * static_cast<double>(block.scores.size()) / all;
  }
  std::vector<std::int64_t> counts;
  for (const BalancedMatrix& m : matrices) {
    const double density = blocks[block_of(m.name)].outliers - mean + (1 - p);
    counts.push_back(floor_share(size_of(m), std::clamp(1 - density, 0.01, 1.0)));
  }
  settle(counts, matrices, total(uniform_counts(matrices, p)));
  return counts;
}

}  // namespace skiff::pruning
