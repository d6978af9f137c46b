// Pathological label skew (McMahan et al. 2017, section 3): rows sorted by label (stable), cut into
// S = clients x shards_per_client equal shards, shards dealt at random.
#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct ShardsParams {
  int shards_per_client = 2;
  bool drop_tail = false;
};
}  // namespace

template <>
Schema<ShardsParams> schema() {
  Schema<ShardsParams> s;
  s.field("shards_per_client", &ShardsParams::shards_per_client,
          "label-sorted shards that each client gets; 2 in the paper")
      .required("by shards; the paper's is 2")
      .in(1, 1e6);
  s.field("drop_tail", &ShardsParams::drop_tail,
          "leave out the samples that do not fill the last shard");
  return s;
}

namespace {

class Shards final : public Partition {
 public:
  explicit Shards(const ShardsParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    require_clients(n, task.clients);
    const std::int64_t shards = std::int64_t{task.clients} * params_.shards_per_client;
    const std::int64_t size = shard_size(n, shards, task.clients);
    std::vector<std::uint32_t> dealt(static_cast<std::size_t>(shards));
    std::iota(dealt.begin(), dealt.end(), 0u);
    shuffle(stream, std::span(dealt));
    std::vector<std::int32_t> client_of_shard(dealt.size());
    for (std::size_t i = 0; i < dealt.size(); ++i) {
      client_of_shard[dealt[i]] =
          static_cast<std::int32_t>(i / static_cast<std::size_t>(params_.shards_per_client));
    }
    std::vector<std::int32_t> client_of_row(task.labels.size(), -1);
    std::int64_t position = 0;
    for (const auto& rows : rows_by_class(task.labels).rows) {
      for (const std::uint32_t row : rows) {
        const std::int64_t shard = position++ / size;
        if (shard < shards) client_of_row[row] = client_of_shard[static_cast<std::size_t>(shard)];
      }
    }
    return {shards_by_client(client_of_row, task.clients), {}};
  }

 private:
  std::int64_t shard_size(std::int64_t n, std::int64_t shards, int clients) const {
    if (shards > n) {
      throw std::invalid_argument(
          fmt::format("{} clients with {} shards each are more shards than the {} training samples",
                      clients, params_.shards_per_client, n));
    }
    if (n % shards != 0 && !params_.drop_tail) {
      throw std::invalid_argument(fmt::format(
          "{} training samples do not divide into {} equal shards; {} would be left over: choose "
          "another number of clients, or write drop_tail: true",
          n, shards, n % shards));
    }
    return n / shards;
  }

  ShardsParams params_;
};

SKIFF_REGISTER(Partition, Shards, ShardsParams,
               {.name = "shards",
                .summary = "samples sorted by label, cut into equal shards, a few for each client",
                .paper = "McMahan et al. 2017, section 3",
                .verified = "each client holds exactly shards_per_client shards, and the classes "
                            "that they touch"});

}  // namespace
}  // namespace skiff
