// The source's own clients: a writer, a speaker, a user (LEAF, Caldas et al. 2018). Owners with
// fewer than min_samples rows are left out; if there are more owners than clients wanted, that many
// are drawn at random. Clients keep the order of the source.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct NaturalParams {
  int min_samples = 1;
};
}  // namespace

template <>
Schema<NaturalParams> schema() {
  Schema<NaturalParams> s;
  s.field("min_samples", &NaturalParams::min_samples, "users with fewer samples are left out")
      .at_least(1);
  return s;
}

namespace {

class Natural final : public Partition {
 public:
  explicit Natural(const NaturalParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    if (task.owners.empty()) {
      throw std::invalid_argument(
          "this source does not say who each sample belongs to; natural needs a source with users");
    }
    std::vector<std::int32_t> kept = large_enough(task.owners);
    if (task.clients > 0 && kept.size() > static_cast<std::size_t>(task.clients)) {
      shuffle(stream, std::span(kept));
      kept.resize(static_cast<std::size_t>(task.clients));
      std::sort(kept.begin(), kept.end());
    }
    std::vector<std::int32_t> client_of_owner;
    for (std::size_t k = 0; k < kept.size(); ++k) {
      client_of_owner.resize(static_cast<std::size_t>(kept[k]) + 1, -1);
      client_of_owner.back() = static_cast<std::int32_t>(k);
    }
    std::vector<std::int32_t> client_of_row(task.owners.size(), -1);
    for (std::size_t i = 0; i < client_of_row.size(); ++i) {
      const std::int32_t owner = task.owners[i];
      if (owner < 0 || static_cast<std::size_t>(owner) >= client_of_owner.size()) continue;
      client_of_row[i] = client_of_owner[static_cast<std::size_t>(owner)];
    }
    const auto clients = static_cast<int>(kept.size());
    return {shards_by_client(client_of_row, clients), std::move(kept)};
  }

 private:
  std::vector<std::int32_t> large_enough(std::span<const std::int32_t> owners) const {
    std::vector<std::int64_t> rows;
    for (const std::int32_t owner : owners) {
      if (owner < 0) continue;
      if (static_cast<std::size_t>(owner) >= rows.size()) {
        rows.resize(static_cast<std::size_t>(owner) + 1, 0);
      }
      ++rows[static_cast<std::size_t>(owner)];
    }
    std::vector<std::int32_t> kept;
    std::int64_t most = 0;
    for (std::size_t owner = 0; owner < rows.size(); ++owner) {
      most = std::max(most, rows[owner]);
      if (rows[owner] >= params_.min_samples) kept.push_back(static_cast<std::int32_t>(owner));
    }
    if (kept.empty()) {
      throw std::invalid_argument(
          fmt::format("no user has min_samples ({}) or more samples; the most is {}",
                      params_.min_samples, most));
    }
    return kept;
  }

  NaturalParams params_;
};

SKIFF_REGISTER(Partition, Natural, NaturalParams,
               {.name = "natural",
                .summary = "the source's own users, each a client; data.clients is a limit",
                .paper = "Caldas et al. 2018 (LEAF), arXiv:1812.01097",
                .verified = "each client holds exactly its user's rows"});

}  // namespace
}  // namespace skiff
