// The two partitions that look at nothing: iid (McMahan et al. 2017, section 3: a random
// permutation in equal blocks) and contiguous (the file's order in equal blocks, the usual one of
// convex distributed optimization).
#include "algorithms/data/assignment.h"

namespace skiff {
namespace {

class Iid final : public Partition {
 public:
  explicit Iid(const NoParams&) {}
  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    return {shuffled_blocks(n, sizes(n, task.clients, stream), stream), {}};
  }
  std::vector<std::int64_t> sizes(std::int64_t n, int clients, Stream) const override {
    require_clients(n, clients);
    return equal_sizes(n, clients);
  }
};

class Contiguous final : public Partition {
 public:
  explicit Contiguous(const NoParams&) {}
  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    PartitionResult result;
    result.shards.begin.push_back(0);
    for (const std::int64_t size : sizes(n, task.clients, stream)) {
      result.shards.begin.push_back(result.shards.begin.back() + size);
    }
    result.shards.rows.resize(task.labels.size());
    for (std::size_t i = 0; i < task.labels.size(); ++i) {
      result.shards.rows[i] = static_cast<std::uint32_t>(i);
    }
    return result;
  }
  std::vector<std::int64_t> sizes(std::int64_t n, int clients, Stream) const override {
    require_clients(n, clients);
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(clients), n / clients);
    sizes.back() += n % clients;
    return sizes;
  }
};

SKIFF_REGISTER(Partition, Iid, NoParams,
               {.name = "iid",
                .summary = "a random permutation, cut into equal blocks",
                .paper = "McMahan et al. 2017, section 3",
                .verified = "disjoint, complete, sizes differ by one at most"});
SKIFF_REGISTER(Partition, Contiguous, NoParams,
               {.name = "contiguous",
                .summary = "the source's own order in blocks of floor(n / clients), the rest to "
                           "the last client",
                .paper = "baseline"});

}  // namespace
}  // namespace skiff
