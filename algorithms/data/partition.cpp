#include "algorithms/data/partition.h"

#include <algorithm>
#include <stdexcept>

namespace skiff {

std::vector<std::int64_t> Partition::sizes(std::int64_t, int, Stream) const {
  throw std::invalid_argument(
      "this scheme looks at labels or owners, which a source without numbers does not have; "
      "write iid, contiguous or quantity");
}

ClassHistogram class_histogram(const ShardList& shards, std::span<const std::int32_t> labels) {
  ClassHistogram histogram;
  histogram.labels.assign(labels.begin(), labels.end());
  std::sort(histogram.labels.begin(), histogram.labels.end());
  histogram.labels.erase(std::unique(histogram.labels.begin(), histogram.labels.end()),
                         histogram.labels.end());
  const std::size_t classes = histogram.labels.size();
  histogram.counts.assign(static_cast<std::size_t>(shards.clients()) * classes, 0);
  for (int k = 0; k < shards.clients(); ++k) {
    for (const std::uint32_t row : shards.of(k)) {
      const auto at =
          std::lower_bound(histogram.labels.begin(), histogram.labels.end(), labels[row]);
      const auto column = static_cast<std::size_t>(at - histogram.labels.begin());
      ++histogram.counts[static_cast<std::size_t>(k) * classes + column];
    }
  }
  return histogram;
}

}  // namespace skiff
